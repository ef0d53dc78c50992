// In round after round, the tokens of all tabs expire at one moment: no refresh token is used twice (rule 9), and one tab refreshes for
// all.

import assert from 'node:assert/strict'
import { engine } from './support/engine.mjs'
import { CONNECTIONS, isLong, world } from './support/world.mjs'

const { server, it } = await world({ timeout: 600_000 })

/** This many tabs, each with a token. */
async function tabsOf(user, count, options) {
  const tabs = [await user.signedIn(options)]
  while (tabs.length < count) tabs.push(await user.tab(options))
  await Promise.all(tabs.map((tab) => tab.evaluate(() => auth.refresh())))
  return tabs
}

/** Revokes all tokens. Each tab learns this from the answer to its own call, if possible at one moment. */
async function expire(tabs) {
  const holds = tabs.length <= CONNECTIONS
  await server.revoke()
  if (holds) await server.faults({ api: 'hold' })
  // A browser sends requests for one URL in sequence: each tab has its own URL.
  const answers = tabs.map((tab, n) => tab.evaluate((n) => call(`/api/items/${n}`), n))
  if (holds) {
    await server.held('api', tabs.length)
    await server.faults()
    await server.release('api')
  }
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
}

/** Plays the rounds. Returns the number of refreshes in each. */
async function play(tabs, rounds) {
  await server.reset()
  const costs = []
  const begun = performance.now()
  for (let round = 1, before = 0; round <= rounds; round++) {
    await expire(tabs)
    const { refreshes, reuses, revoked_families } = await server.counters()
    assert.deepEqual({ reuses, revoked_families }, { reuses: 0, revoked_families: 0 }, `round ${round}`)
    costs.push(refreshes - before)
    before = refreshes
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const calls = await server.log('/auth')
  assert.deepEqual(
    calls.filter(({ beside }) => beside > 0),
    [],
    'calls that set the cookie overlap',
  )
  console.log(`${tabs.length} tabs, ${rounds} rounds: ${calls.length} refreshes, 0 reuses, 0 overlaps, ${seconds} s`)
  return costs
}

// In all engines on each change, and at full length in the most common one.
const most = isLong || engine === 'chrome' ? 200 : 20

for (const [count, rounds] of [
  [2, most],
  [5, most],
  [20, isLong ? 200 : 20],
]) {
  it(`in ${rounds} rounds of expiry in ${count} tabs one refreshes for all`, async (user) => {
    const costs = await play(await tabsOf(user, count), rounds)
    const once = costs.filter((cost) => cost === 1).length
    console.log(`${once} rounds of ${rounds} cost one refresh`)
    assert.ok(once >= 0.99 * rounds, `${once} rounds of ${rounds} cost one refresh`)
  })
}

for (const [count, rounds] of [
  [2, isLong ? 200 : 50],
  [5, isLong ? 200 : 20],
  [20, isLong ? 20 : 3],
]) {
  it(`with tabs: lock, in ${rounds} rounds of expiry in ${count} tabs each refreshes for itself, in turns`, async (user) => {
    const costs = await play(await tabsOf(user, count, { tabs: 'lock' }), rounds)
    assert.deepEqual(costs, Array(rounds).fill(count))
  })
}

it('with tabs: off no tab takes turns: the option is not for a cookie that tabs share', async (user) => {
  const tabs = await Promise.all(Array.from({ length: 2 }, () => user.signedIn({ tabs: 'off' })))
  await server.faults({ refresh: 'hold' })
  for (const tab of tabs) await tab.evaluate(() => void (globalThis.renewed = outcome(auth.refresh())))
  await server.held('refresh', 2)
  await server.release('refresh')
  await Promise.all(tabs.map((tab) => tab.evaluate(() => renewed)))
  assert.deepEqual(
    (await server.log('/auth/refresh')).map(({ beside }) => beside),
    [0, 1],
  )
  assert.equal((await server.counters()).reuses, 1)
})
