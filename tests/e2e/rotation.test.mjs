// A refresh whose answer is lost, with a server that accepts the old refresh token again for a while. (Otherwise a strict server must treat
// the next try as theft.)

import assert from 'node:assert/strict'
import { reload } from './support/browser.mjs'
import { hasToken, isForAllTabs, standsInLine } from './support/home.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world({ flags: ['--reuse-grace', '60s'] })

it('a reload during a refresh does not end the session', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void call('/api/me'))
  await server.held('refresh')
  await server.faults()
  await reload(page)
  // A shared worker may have outlasted the page, and the refresh with it.
  if (isForAllTabs) await server.release('refresh')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})

it('a tab that is closed during a refresh does not delay others', async (user) => {
  const first = await user.signedIn()
  const second = await user.tab()
  await hasToken(second)
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await first.evaluate(() => void call('/api/items/1'))
  await server.held('refresh')
  await server.faults()
  await second.evaluate(() => void (globalThis.waiting = call('/api/items/2')))
  await standsInLine(second)
  await first.close()
  // A refresh for all tabs goes on without it.
  if (isForAllTabs) await server.release('refresh')
  assert.equal((await second.evaluate(() => waiting)).status, 200)
})

it('after a refresh whose answer was lost the next one succeeds', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'lost' })
  assert.equal((await page.evaluate(() => call('/api/me'))).error.code, 'network')
  await server.faults()
  await page.evaluate(() => auth.refresh())
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})
