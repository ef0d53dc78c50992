// SWR, in React.

import assert from 'node:assert/strict'
import { hurry, recipe } from './support/recipe.mjs'

const { it, server, renewed, unreached } = await recipe('swr', {
  driver: `
    import { Api, useItem } from 'the client'
    import { show, shown } from './pages/react.tsx'
    export const item = (id) => shown(() => useItem(id), Api)
    export const stay = (id) => (globalThis.now = show(() => useItem(id), Api))
  `,
  unauthorized: { name: 'Error', status: 401 },
  // The shown component asks once more, without a token.
  asksAtEnd: 2,
  // It cancels no calls.
  cancels: false,
  shows: true,
})

it("a passing outage ends with the library's own retry", async (tab) => {
  server.revoke()
  server.route('/auth/refresh', unreached)
  await tab.evaluate(() => stay(1))
  await tab.waitForFunction(() => now().error?.retryable)
  server.route('/auth/refresh', renewed)
  await tab.waitForFunction(() => now().data?.of === 'alice')
})

it('a focus with an expired token costs one refresh', async (tab) => {
  await hurry(tab)
  await tab.evaluate(() => stay(1))
  await tab.waitForFunction(() => now().data)
  server.revoke()
  await tab.evaluate(() =>
    setTimeout(() => {
      // SWR ignores a focus within five seconds of another, or within two of the last call.
      const { now } = Date
      Date.now = () => now() + 10_000
      dispatchEvent(new Event('focus'))
    }, 2000),
  )
  await tab.waitForFunction(() => events.includes('refresh'))
  assert.equal(server.at('/auth/refresh').length, 1)
})
