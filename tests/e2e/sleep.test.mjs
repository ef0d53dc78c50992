// Wrong clocks, odd token lifetimes, sleeping laptops, hidden tabs ("Time" in the rules: expiry is counted from receipt, timers are hints).

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check } from './support/lack.mjs'
import { json, refused, startStub } from './support/stub.mjs'
import { startAnew, takeTime } from './pages/time.js'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

// The API accepts only the newest token, and the refresh endpoint gives the next.
let newest
let expires_in
const stub = await startStub({
  '/auth/refresh': () => json({ access_token: (newest = `token-${refreshes()}`), expires_in }),
  '/api/x': ({ headers }) => (headers.authorization === `Bearer ${newest}` ? json({ ok: true }) : refused()),
})
const browser = await startBrowser()
const user = await User.arrives(browser, stub.origin)
const page = await user.blank()
await page.evaluate(takeTime)
await page.evaluate(() => {
  Math.random = () => 0.5
  globalThis.twenty = async () =>
    (await Promise.all(Array.from({ length: 20 }, (_, n) => call(`/api/x?${n}`)))).map(({ status }) => status)
  globalThis.hide = (isHidden) => {
    Object.defineProperty(document, 'visibilityState', { value: isHidden ? 'hidden' : 'visible', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }
})

/** A test with a new manager, whose tokens live for `seconds`, in a page whose time the test controls. */
function it(name, seconds, body) {
  check(name, async () => {
    stub.reset()
    expires_in = seconds
    await page.evaluate(startAnew)
    await page.evaluate(() => {
      hide(false)
      time.fired = 0
    })
    await body()
    // Pending calls must not count for the next test.
    await page.evaluate(() => auth.refresh().catch(() => {}))
  })
}

const refreshes = () => stub.at('/auth/refresh').length
const WELL = Array(20).fill(200)

/** Twenty calls at once, all successful. */
async function calls() {
  assert.deepEqual(await page.evaluate(() => twenty()), WELL)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
}

// The wall clock.

for (const [side, off] of [
  ['fast', DAY],
  ['slow', -DAY],
]) {
  it(`a clock that is a day ${side} changes nothing`, 300, async () => {
    await page.evaluate((off) => time.set(off), off)
    await calls()
    const left = await page.evaluate(() => auth.state.expiresAt - Date.now())
    assert.equal(left, 300 * SECOND)
    await page.evaluate(() => time.skip(200_000))
    await calls()
    assert.equal(refreshes(), 1)
    await page.evaluate(() => time.skip(90_000))
    await calls()
    assert.equal(refreshes(), 2)
  })
}

it('a clock set forward by a day costs one refresh, one set back none', 300, async () => {
  await calls()
  await page.evaluate(() => time.set(86_400_000))
  await calls()
  assert.equal(refreshes(), 2)
  await page.evaluate(() => time.set(-2 * 86_400_000))
  await calls()
  assert.equal(refreshes(), 2)
  await page.evaluate(() => time.skip(290_000))
  await calls()
  assert.equal(refreshes(), 3, 'and it does not live longer for it')
})

it('a clock that jumps to and fro every second costs at most one refresh for each jump forward', 300, async () => {
  await calls()
  for (let second = 0; second < 20; second++) {
    await page.evaluate((by) => (time.set(by), time.pass(1000)), second % 2 ? -DAY : DAY)
    await calls()
  }
  assert.ok(refreshes() <= 11, `${refreshes()} refreshes`)
})

// Lifetimes.

it('a token that lives for three seconds is renewed each time, and no more often', 3, async () => {
  for (let second = 0; second < 60; second++) {
    await calls()
    await page.evaluate(() => time.pass(1000))
  }
  const { fired, ahead } = await page.evaluate(() => time)
  console.log(`3 s: ${refreshes()} refreshes and ${fired} wake-ups in a minute of calls`)
  assert.ok(refreshes() <= 24 && fired <= 24, `${refreshes()} refreshes, ${fired} wake-ups`)
  assert.ok(ahead.length <= 1)
})

it('a token that lives for thirty days does not count as ended', 30 * 86_400, async () => {
  await calls()
  const [wait] = await page.evaluate(() => time.ahead)
  assert.ok(wait > 20 * DAY && wait < 2 ** 31, `${wait} ms are more than a timer can wait`)
  await page.evaluate((days) => time.pass(days), 29 * DAY)
  await calls()
  const fired = await page.evaluate(() => time.fired)
  console.log(`30 days: ${refreshes()} refresh and ${fired} wake-ups in 29 days`)
  assert.equal(refreshes(), 1)
  assert.ok(fired <= 2, `${fired} wake-ups`)
  await page.evaluate((days) => time.skip(days), 2 * DAY)
  await calls()
  assert.equal(refreshes(), 2)
})

it('a token may live for a fraction of a second', 2.5, async () => {
  await calls()
  assert.equal(await page.evaluate(() => auth.state.expiresAt - Date.now()), 2500)
  await page.evaluate(() => time.skip(2500))
  await calls()
  assert.equal(refreshes(), 2)
})

for (const [what, seconds] of [
  ['zero', 0],
  ['a negative number', -300],
  ['absent', undefined],
  ['null', null],
  ['no number', 'soon'],
]) {
  it(`with expires_in ${what}, the API's 401 tells that the token has ended`, seconds, async () => {
    await calls()
    await page.evaluate((day) => time.pass(day), DAY)
    await calls()
    assert.equal(refreshes(), 1)
    assert.deepEqual(await page.evaluate(() => [auth.state.expiresAt, time.fired, time.ahead.length]), [null, 0, 0])
    newest = 'another'
    await calls()
    assert.equal(refreshes(), 2)
  })
}

// Sleep: hours pass, and no timer fires. Then everything happens at once.

const SLEEPS = {
  'that the steady clock missed': () => time.set(8 * 3_600_000),
  'that timers missed': () => time.skip(8 * 3_600_000),
}

const WAKINGS = {
  'a call': () => {},
  focus: () => dispatchEvent(new Event('focus')),
  online: () => dispatchEvent(new Event('online')),
  visibilitychange: () => document.dispatchEvent(new Event('visibilitychange')),
  pageshow: () => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  'the late timer': () => time.pass(0),
  'all of these at once': () => {
    time.pass(0)
    dispatchEvent(new Event('focus'))
    dispatchEvent(new Event('online'))
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    document.dispatchEvent(new Event('visibilitychange'))
  },
}

for (const [sleep, sleeps] of Object.entries(SLEEPS)) {
  for (const [waking, wakes] of Object.entries(WAKINGS)) {
    it(`after a sleep ${sleep}, ${waking} and twenty calls cost one refresh`, 300, async () => {
      await calls()
      await page.evaluate(sleeps)
      // In one turn.
      const statuses = await page.evaluate(`(${wakes})(), twenty()`)
      assert.deepEqual(statuses, WELL)
      assert.equal(refreshes(), 2)
      assert.equal(stub.at('/api/x').length, 40, 'nothing leaves with a token that has ended')
      assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
      assert.deepEqual(await page.evaluate(() => told()), ['refresh', 'refresh'])
    })
  }
}

it('waking before the network returns signs nobody out, and calls work once it is there', 300, async () => {
  await calls()
  await page.evaluate(() => time.skip(8 * 3_600_000))
  const well = stub.routes['/auth/refresh']
  stub.routes['/auth/refresh'] = () => ({ cut: true })
  try {
    const answers = await page.evaluate(async () => {
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
      return Promise.all(Array.from({ length: 20 }, (_, n) => call(`/api/x?${n}`)))
    })
    assert.deepEqual(answers, Array(20).fill({ error: { code: 'network', retryable: true } }))
  } finally {
    stub.routes['/auth/refresh'] = well
  }
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
  await page.evaluate(async () => {
    await time.pass(1000)
    dispatchEvent(new Event('online'))
  })
  await calls()
})

// Wake-ups.

it('a hidden tab sets no timer, and checks the clock when it is visible again', 300, async () => {
  await calls()
  assert.equal(await page.evaluate(() => (hide(true), time.ahead.length)), 0)
  await page.evaluate((day) => time.pass(day), DAY)
  await calls()
  assert.equal(await page.evaluate(() => time.ahead.length), 0)
  assert.equal(await page.evaluate(() => time.fired), 0)
  await page.evaluate((day) => time.pass(day), DAY)
  assert.equal(await page.evaluate(() => (hide(false), heard('refresh'), time.fired)), 0)
  await calls()
  assert.equal(refreshes(), 3)
})

it('a signed-out page does not wake up', 300, async () => {
  await calls()
  await page.evaluate(() => auth.logout())
  await page.evaluate((day) => time.pass(day), DAY)
  assert.deepEqual(await page.evaluate(() => [time.fired, time.ahead.length]), [0, 0])
})

it('during an outage of an hour a used page wakes up at the pace of the back-off', 300, async () => {
  await calls()
  const { fired, sent, ahead } = await page.evaluate(async (hour) => {
    const send = globalThis.fetch
    let sent = 0
    globalThis.fetch = () => (sent++, Promise.reject(new TypeError('no network')))
    try {
      await time.pass(270_000)
      time.fired = sent = 0
      await time.pass(hour)
      return { sent, fired: time.fired, ahead: time.ahead.length }
    } finally {
      globalThis.fetch = send
    }
  }, HOUR)
  console.log(`an outage of an hour: ${sent} calls of the refresh endpoint, ${fired} wake-ups`)
  assert.ok(sent <= 160 && fired <= 160 && ahead <= 1, `${sent} calls, ${fired} wake-ups`)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
})
