// The platform's `fetch` with the header set by hand: the lower limit of the cost. It never refreshes.

import { signIn } from './sign-in.js'

export default async function setUp() {
  const headers = { Authorization: `Bearer ${await signIn()}` }
  return {
    get: (url) => fetch(url, { headers }),
    json: async (url) => (await fetch(url, { headers })).json(),
    post: (url, body, type) => fetch(url, { method: 'POST', headers: { ...headers, 'Content-Type': type }, body }),
  }
}
