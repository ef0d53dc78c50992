// wretch with its own recipe for a 401, and a single flight around the refresh.

import wretch from 'wretch'
import { refresh, signIn } from './sign-in.js'

let token
let refreshing

const renew = () =>
  (refreshing ??= refresh()
    .then((fresh) => (token = fresh))
    .finally(() => (refreshing = undefined)))

const api = wretch().resolve((resolver, request) =>
  resolver.unauthorized(async (_, original) => {
    if (request._options.headers?.Authorization === `Bearer ${token}`) await renew()
    return original
      .auth(`Bearer ${token}`)
      .fetch()
      .unauthorized((error) => {
        throw error
      })
      .res()
  }),
)

const at = (url) => api.url(url).auth(`Bearer ${token}`)

export default async function setUp() {
  token = await signIn()
  return {
    get: (url) => at(url).get().res(),
    json: async (url) => (await at(url).get().res()).json(),
    post: (url, body, type) => at(url).content(type).body(body).post().res(),
  }
}
