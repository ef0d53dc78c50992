// A refresh whose answer is lost, where the server takes the old refresh token again for a while. (Without that a strict
// server must take the next try for a thief's.)

import assert from 'node:assert/strict'
import { reload } from './support/browser.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world({ flags: ['--reuse-grace', '60s'] })

it('a reload in the middle of a refresh does not end the session', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void call('/api/me'))
  await server.held('refresh')
  await server.faults()
  await reload(page)
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})

it('a tab that is closed in the middle of a refresh holds no other up', async (user) => {
  const first = await user.signedIn()
  const second = await user.tab()
  await second.evaluate(() => until(({ status }) => status === 'signed-in'))
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await first.evaluate(() => void call('/api/items/1'))
  await server.held('refresh')
  await server.faults()
  await second.evaluate(async () => {
    globalThis.waiting = call('/api/items/2')
    while (!(await navigator.locks.query()).pending.length);
  })
  await first.close()
  assert.equal((await second.evaluate(() => waiting)).status, 200)
})

it('after a refresh whose answer was lost the next one goes on', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'lost' })
  assert.equal((await page.evaluate(() => call('/api/me'))).error.code, 'network')
  await server.faults()
  await page.evaluate(() => auth.refresh())
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})
