// The tab that holds the lock is closed during a refresh, or frozen: the others are served within the refresh's time-out plus one second
// (rule 10).

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import process from 'node:process'
import { engine } from './support/engine.mjs'
import { Lack } from './support/lack.mjs'
import { world } from './support/world.mjs'

// An answer that was lost with its tab must not cost the session.
const { server, it, browser } = await world({ flags: ['--reuse-grace', '60s'] })

const TIMEOUT = 2000
// What a busy machine may add.
const SLOWNESS = 1000
const options = { refresh: { url: '/auth/refresh', timeout: TIMEOUT } }

/** The process of a page: the one with a thread for its worker. */
async function renderer(page) {
  await page.evaluate(() => void (globalThis.worker = new Worker('/page.js', { type: 'module' })))
  const system = await browser.newBrowserCDPSession()
  const threads = (pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8'))
  for (;;) {
    const { processInfo } = await system.send('SystemInfo.getProcessInfo')
    const found = processInfo.find(
      ({ type, id }) => type === 'renderer' && threads(id).some((name) => name.startsWith('DedicatedWorker')),
    )
    if (found) return found.id
  }
}

/** What happens to the tab, how it comes back, if it does, and what this requires. */
const FATES = {
  'is closed': { meet: (page) => page.close() },
  crashes: {
    needs: 'a way to crash a tab (Chrome DevTools Protocol)',
    async meet(page) {
      const session = await page.context().newCDPSession(page)
      const crashed = page.waitForEvent('crash')
      session.send('Page.crash').catch(() => {})
      await crashed
    },
  },
  'is frozen': {
    needs: 'a way to find the process of a tab (Chrome DevTools Protocol)',
    async meet(page) {
      const pid = await renderer(page)
      process.kill(pid, 'SIGSTOP')
      let isFrozen = true
      page.evaluate(() => {}).then(() => (isFrozen = false))
      return () => {
        process.kill(pid, 'SIGCONT')
        assert.ok(isFrozen, 'it was another process')
      }
    },
  },
}

for (const [fate, { meet, needs }] of Object.entries(FATES)) {
  for (const isAnswered of [false, true]) {
    it(`the holder ${fate} during a refresh, ${isAnswered ? 'and is answered then' : 'and is never answered'}`, async (user) => {
      if (needs && engine !== 'chrome') throw new Lack(needs)
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
      const revive = await meet(holder)
      const begun = performance.now()
      try {
        if (isAnswered) await server.release('refresh')
        for (const other of others) assert.equal((await other.evaluate(() => waiting)).status, 200)
        const took = performance.now() - begun
        console.log(`the holder ${fate}: the others are served after ${took.toFixed()} ms`)
        assert.ok(took < TIMEOUT + 1000 + SLOWNESS, `${took} ms`)
      } finally {
        await revive?.()
      }
      if (revive)
        assert.equal((await holder.evaluate(() => call('/api/me'))).status, 200, 'it goes on when it comes back')
      for (const other of others) assert.equal((await other.evaluate(() => call('/api/me'))).status, 200)
      const { reuses, revoked_families } = await server.counters()
      assert.deepEqual({ reuses, revoked_families }, { reuses: 0, revoked_families: 0 })
    })
  }
}
