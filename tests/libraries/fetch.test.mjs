// The page and its server alone, with only `auth.fetch`: the basis of every other test in this folder.

import assert from 'node:assert/strict'
import { library } from './support/library.mjs'

const { server, it } = await library({
  code: `
    import { createTokenManager } from 'tokenkeep'
    export const auth = createTokenManager({ refresh: '/auth/refresh' })
  `,
})

it('five calls with an expired token cost one refresh', async (tab) => {
  server.revoke()
  const answers = await tab.evaluate(() => Promise.all([1, 2, 3, 4, 5].map((n) => outcome(auth.fetch(`/api/${n}`)))))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
  assert.equal(server.at('/auth/refresh').length, 1)
  assert.deepEqual(await tab.evaluate(() => events), ['refresh'])
})
