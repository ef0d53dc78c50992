// The tab that holds the lock goes away in the middle of a refresh: the others are served within the
// refresh's time-out and a second (rule 10).

import assert from 'node:assert/strict'
import { world } from './support/world.mjs'

// An answer that was lost with its tab costs nobody the session.
const { server, it } = await world({ flags: ['--reuse-grace', '60s'] })

const TIMEOUT = 2000
const options = { refresh: { url: '/auth/refresh', timeout: TIMEOUT } }

/** What happens to the tab. */
const FATES = {
  'is closed': (page) => page.close(),
  'crashes': async (page) => {
    const session = await page.context().newCDPSession(page)
    const crashed = page.waitForEvent('crash')
    session.send('Page.crash').catch(() => {})
    await crashed
  },
}

for (const [fate, meet] of Object.entries(FATES)) {
  for (const isAnswered of [false, true]) {
    it(`the holder ${fate} in mid-refresh, ${isAnswered ? 'and is answered then' : 'and is never answered'}`, async (user) => {
      const holder = await user.signedIn(options)
      const others = [await user.tab(options), await user.tab(options)]
      for (const other of others) await other.evaluate(() => until(({ status }) => status === 'signed-in'))
      await server.revoke()
      await server.faults({ refresh: 'hold' })
      await holder.evaluate(() => void call('/api/items/0'))
      await server.held('refresh')
      for (const [n, other] of others.entries()) {
        await other.evaluate(async (n) => {
          globalThis.waiting = call(`/api/items/${n + 1}`)
          while ((await navigator.locks.query()).pending.length <= n);
        }, n)
      }
      await server.faults()
      const begun = performance.now()
      await meet(holder)
      if (isAnswered) await server.release('refresh')
      for (const other of others) assert.equal((await other.evaluate(() => waiting)).status, 200)
      const took = performance.now() - begun
      console.log(`the holder ${fate}: the others are served after ${took.toFixed()} ms`)
      assert.ok(took < TIMEOUT + 1000, `${took} ms`)
      for (const other of others) assert.equal((await other.evaluate(() => call('/api/me'))).status, 200)
      const { reuses, revoked_families } = await server.counters()
      assert.deepEqual({ reuses, revoked_families }, { reuses: 0, revoked_families: 0 })
    })
  }
}
