// supertokens-website, with its tokens in headers. It replaces the page's `fetch`.

import SuperTokens from 'supertokens-website'

export default async function setUp() {
  SuperTokens.init({ apiDomain: location.origin, apiBasePath: '/supertokens', tokenTransferMethod: 'header' })
  const response = await fetch('/supertokens/signin', { method: 'POST' })
  if (!response.ok) throw new Error(`signin: ${response.status}`)
  return {
    get: (url) => fetch(url),
    json: async (url) => (await fetch(url)).json(),
    post: (url, body, type) => fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body }),
  }
}
