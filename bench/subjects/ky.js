// ky with hooks, and a single flight around the refresh.

import ky from 'ky'
import { refresh, signIn } from './sign-in.js'

let token
let refreshing

const renew = () =>
  (refreshing ??= refresh()
    .then((fresh) => (token = fresh))
    .finally(() => (refreshing = undefined)))

export default async function setUp() {
  token = await signIn()
  const api = ky.create({
    retry: 0,
    hooks: {
      beforeRequest: [(request) => request.headers.set('Authorization', `Bearer ${token}`)],
      afterResponse: [
        async (request, options, response) => {
          if (response.status !== 401) return
          if (request.headers.get('Authorization') === `Bearer ${token}`) await renew()
          request.headers.set('Authorization', `Bearer ${token}`)
          return ky(request, { retry: 0 })
        },
      ],
    },
  })
  return {
    get: (url) => api.get(url),
    json: (url) => api.get(url).json(),
    post: (url, body, type) => api.post(url, { body, headers: { 'Content-Type': type } }),
  }
}
