// The wrapper that a careful developer writes by hand: one refresh for all calls, and no second refresh for a late 401.

import { refresh, signIn } from './sign-in.js'

let token
let refreshing

function send(input, init) {
  const headers = new Headers(init?.headers)
  headers.set('Authorization', `Bearer ${token}`)
  return fetch(input, { ...init, headers })
}

function renew() {
  refreshing ??= refresh()
    .then((fresh) => {
      token = fresh
    })
    .finally(() => {
      refreshing = undefined
    })
  return refreshing
}

async function authFetch(input, init) {
  const used = token
  const response = await send(input, init)
  if (response.status !== 401) return response
  if (token === used) await renew()
  return send(input, init)
}

export default async function setUp() {
  token = await signIn()
  return {
    get: (url) => authFetch(url),
    json: async (url) => (await authFetch(url)).json(),
    post: (url, body, type) => authFetch(url, { method: 'POST', headers: { 'Content-Type': type }, body }),
  }
}
