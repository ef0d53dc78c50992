// alova with its token authentication. Its response cache is off, because the others have none.

import { createAlova } from 'alova'
import { createServerTokenAuthentication } from 'alova/client'
import adapterFetch from 'alova/fetch'
import { refresh, signIn } from './sign-in.js'

let token

export default async function setUp() {
  token = await signIn()
  const { onAuthRequired, onResponseRefreshToken } = createServerTokenAuthentication({
    assignToken: (method) => {
      method.config.headers.Authorization = `Bearer ${token}`
    },
    refreshTokenOnSuccess: {
      isExpired: (response) => response.status === 401,
      handler: async () => {
        token = await refresh()
      },
    },
  })
  const alova = createAlova({
    requestAdapter: adapterFetch(),
    cacheFor: null,
    shareRequest: false,
    beforeRequest: onAuthRequired(),
    responded: onResponseRefreshToken((response) => response),
  })
  return {
    get: (url) => alova.Get(url).send(),
    json: async (url) => (await alova.Get(url).send()).json(),
    post: (url, body, type) => alova.Post(url, body, { headers: { 'Content-Type': type } }).send(),
  }
}
