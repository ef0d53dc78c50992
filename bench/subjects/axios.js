// axios over fetch, with axios-auth-refresh. It always reads the body.

import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'
import { refresh, signIn } from './sign-in.js'

let token

export default async function setUp() {
  token = await signIn()
  const api = axios.create({ adapter: 'fetch' })
  api.interceptors.request.use((config) => {
    config.headers.set('Authorization', `Bearer ${token}`)
    return config
  })
  createAuthRefresh(api, async () => {
    token = await refresh()
  })
  return {
    get: (url) => api.get(url),
    json: async (url) => (await api.get(url)).data,
    post: (url, body, type) => api.post(url, body, { headers: { 'Content-Type': type } }),
  }
}
