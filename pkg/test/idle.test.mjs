// Signing out idle users: the decisions, with a test clock, tabs and a user.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { load } from './support/bundle.mjs'

const { watch, watchIdle, isTokenError } = await load(
  "export { watch } from './session/idle-watch.js'; export { watchIdle } from './session/idle.js'; export { isTokenError } from './error.js'",
)

const MINUTE = 60_000
const AFTER = 15 * MINUTE

/** The clock and the browser that all tabs share. Only the test makes things happen. */
function browser() {
  const shared = {
    now: 1_800_000_000_000,
    timers: [],
    channels: [],
    locks: new Set(),
    posts: [],
    logouts: [],
    tabs: [],
  }
  return Object.assign(shared, {
    /** Time passes and timers fire, except those of a frozen tab. */
    async pass(ms) {
      const end = shared.now + ms
      for (;;) {
        await settle()
        const next = shared.timers
          .filter(({ tab, due }) => !tab.isFrozen && due <= end)
          .sort((one, other) => one.due - other.due)[0]
        if (!next) break
        shared.now = Math.max(shared.now, next.due)
        shared.timers.splice(shared.timers.indexOf(next), 1)
        next.work()
      }
      shared.now = end
      await settle()
    },
    /** A laptop sleeps: the wall clock continues, and timers stop. */
    sleep(ms) {
      shared.now += ms
      for (const timer of shared.timers) timer.due += ms
    },
    tab: (options) => tab(shared, options),
  })
}

/** Runs everything that needs no time. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await null
}

/**
 * @param {any} shared
 * @param {{ settings?: object, manager?: { refresh?: Function, logout?: Function }, lacksChannel?: boolean, tabs?: string, mail?: number }} [options]
 */
function tab(shared, { settings, manager = {}, lacksChannel, tabs = 'share', mail = 0 } = {}) {
  const own = { isFrozen: false, mail: [], states: [] }
  const listeners = new Set()
  const auth = {
    state: { status: 'signed-in', claims: null, expiresAt: null, sessionExpiresAt: null },
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    refreshes: 0,
    async refresh() {
      auth.refreshes++
      await manager.refresh?.(auth)
    },
    become(state) {
      auth.state = { ...auth.state, ...state }
      for (const listener of listeners) listener()
    },
    async logout() {
      shared.logouts.push(own)
      auth.become({ status: 'signed-out' })
      if (tabs === 'share')
        for (const other of shared.tabs)
          if (other !== own) other.hear(() => other.auth.become({ status: 'signed-out' }))
      await manager.logout?.(auth)
    },
  }
  const world = {
    now: () => shared.now,
    after(ms, work) {
      const timer = { tab: own, due: shared.now + ms, work }
      shared.timers.push(timer)
      return () => void shared.timers.splice(shared.timers.indexOf(timer) >>> 0, 1)
    },
    onActivity: (work) => ((own.act = work), () => (own.act = () => {})),
    onWake: (work) => ((own.wake = work), () => (own.wake = () => {})),
    channel(name, heard) {
      if (lacksChannel) return undefined
      const channel = { name, own, heard }
      shared.channels.push(channel)
      return {
        post(data) {
          shared.posts.push(data)
          for (const other of shared.channels)
            if (other !== channel && other.name === name) other.own.hear(() => other.heard(structuredClone(data)))
        },
        close: () => void shared.channels.splice(shared.channels.indexOf(channel), 1),
      }
    },
    async alone(name, work) {
      if (shared.locks.has(name)) return false
      shared.locks.add(name)
      try {
        await work()
      } finally {
        shared.locks.delete(name)
      }
      return true
    },
  }
  Object.assign(own, {
    auth,
    hear(what) {
      if (own.isFrozen) own.mail.push(what)
      else if (mail) world.after(mail, what)
      else Promise.resolve().then(what)
    },
    freeze: () => void (own.isFrozen = true),
    /** Its messages arrive first, or late. */
    async thaw(isLate) {
      own.isFrozen = false
      const read = () => own.mail.splice(0).forEach((what) => what())
      if (!isLate) read()
      own.wake()
      if (isLate) read()
      await settle()
    },
  })
  shared.tabs.push(own)
  own.idle = watch(auth, { after: AFTER, warning: MINUTE, name: 'test', logout: auth.logout, ...settings }, world)
  own.idle.subscribe(() => own.states.push(own.idle.state))
  return own
}

const words = ({ status, remaining, reason }) => [status, remaining, reason].filter((word) => word !== null).join(' ')

describe('an idle user', () => {
  it('is warned, second by second, and then signed out', async () => {
    const world = browser()
    const tab = world.tab()
    await world.pass(14 * MINUTE - 1)
    assert.deepEqual(tab.states, [])
    await world.pass(1)
    assert.equal(words(tab.idle.state), 'warning 60000 idle')
    await world.pass(59_000)
    assert.deepEqual(
      tab.states.map(({ remaining }) => remaining),
      Array.from({ length: 60 }, (_, n) => (60 - n) * 1000),
    )
    assert.equal(world.logouts.length, 0)
    await world.pass(2000)
    assert.equal(words(tab.idle.state), 'expired 0 idle')
    assert.equal(world.logouts.length, 1)
    assert.equal(tab.auth.state.status, 'signed-out')
    await world.pass(AFTER)
    assert.equal(world.logouts.length, 1)
    assert.equal(words(tab.idle.state), 'expired 0 idle')
  })

  it('is not warned where `warning` is 0', async () => {
    const world = browser()
    const tab = world.tab({ settings: { warning: 0 } })
    await world.pass(AFTER + 1000)
    assert.deepEqual(tab.states.map(words), ['expired 0 idle'])
  })

  it('is signed out only once, however the logout ends', async () => {
    const world = browser()
    const tab = world.tab({ manager: { logout: () => Promise.reject(new Error('no network')) } })
    await world.pass(2 * AFTER)
    assert.equal(world.logouts.length, 1)
    assert.equal(words(tab.idle.state), 'expired 0 idle')
  })

  it('may be signed out by a function of the app', async () => {
    const world = browser()
    let calls = 0
    const tab = world.tab({ settings: { logout: () => void calls++ } })
    await world.pass(2 * AFTER)
    assert.equal(calls, 1, 'also where that ends no session')
    tab.auth.become({ status: 'signed-out' })
    tab.auth.become({ status: 'signed-in' })
    assert.equal(words(tab.idle.state), 'active')
    await world.pass(2 * AFTER)
    assert.equal(calls, 2)
  })

  it('does not exist while signed out, and no timer is set', async () => {
    const world = browser()
    const tab = world.tab()
    tab.auth.become({ status: 'signed-out' })
    assert.equal(world.timers.length, 0)
    await world.pass(2 * AFTER)
    assert.deepEqual(tab.states, [])
    tab.auth.become({ status: 'signed-in' })
    await world.pass(AFTER - 1000)
    assert.equal(world.logouts.length, 0, 'who signs in is there')
    await world.pass(2000)
    assert.equal(world.logouts.length, 1)
  })

  it('is not reported if the user signs out', async () => {
    const world = browser()
    const tab = world.tab()
    await world.pass(14.5 * MINUTE)
    assert.equal(tab.idle.state.status, 'warning')
    await tab.auth.logout()
    assert.equal(words(tab.idle.state), 'active')
  })
})

describe('activity', () => {
  it('postpones the end, even in the last second', async () => {
    const world = browser()
    const tab = world.tab()
    for (let n = 0; n < 5; n++) {
      // The activity is two seconds old when the warning ends.
      await world.pass(AFTER - (n ? 4000 : 2000))
      assert.equal(words(tab.idle.state), 'warning 2000 idle')
      tab.act()
      await world.pass(2000)
      assert.equal(words(tab.idle.state), 'active')
    }
    assert.equal(world.logouts.length, 0)
  })

  it('during a warning removes the warning only at its end: it does not vanish while the user acts', async () => {
    const world = browser()
    const tab = world.tab()
    await world.pass(14.5 * MINUTE)
    tab.act()
    assert.equal(words(tab.idle.state), 'warning 30000 idle')
    await world.pass(10_000)
    tab.act()
    assert.equal(words(tab.idle.state), 'warning 20000 idle')
    await world.pass(20_000)
    assert.equal(words(tab.idle.state), 'active')
    // Counted from the last activity.
    await world.pass(AFTER - 20_000 - MINUTE)
    assert.equal(words(tab.idle.state), 'warning 60000 idle')
    await world.pass(MINUTE + 1000)
    assert.equal(world.logouts.length, 1)
  })

  it('is reported to the other tabs at most once a second', async () => {
    const world = browser()
    const tab = world.tab()
    world.posts.length = 0
    for (let n = 0; n < 1000; n++) {
      tab.act()
      world.now += 5
    }
    assert.equal(world.posts.length, 5)
    assert.equal(world.timers.length, 1, 'and sets no timer')
  })

  it('in any tab counts in all of them, to the last moment', async () => {
    const world = browser()
    const [one, other] = [world.tab(), world.tab()]
    for (let n = 0; n < 20; n++) {
      await world.pass(13 * MINUTE)
      one.act()
      // Too soon after the last message for another one.
      await world.pass(900)
      one.act()
    }
    // The other tab's last news is outdated; it asks, and hears of newer activity.
    await world.pass(AFTER - 900)
    assert.ok(world.posts.some(({ ask }) => ask))
    await world.pass(899)
    assert.deepEqual(
      [one, other].map(({ idle }) => words(idle.state)),
      Array(2).fill('warning 1000 idle'),
    )
    assert.equal(world.logouts.length, 0)
    await world.pass(1000)
    assert.equal(world.logouts.length, 1)
  })

  it('removes the warning in the other tabs at once', async () => {
    const world = browser()
    const tabs = [world.tab(), world.tab(), world.tab()]
    await world.pass(14.5 * MINUTE)
    assert.deepEqual(
      tabs.map(({ idle }) => words(idle.state)),
      Array(3).fill('warning 30000 idle'),
    )
    tabs[1].act()
    await settle()
    assert.deepEqual(
      tabs.map(({ idle }) => words(idle.state)),
      ['active', 'warning 30000 idle', 'active'],
    )
    await world.pass(30_000)
    assert.deepEqual(
      tabs.map(({ idle }) => words(idle.state)),
      Array(3).fill('active'),
    )
  })
})

describe('tabs', () => {
  it('sign out once, and all of them report the reason', async () => {
    const world = browser()
    const tabs = Array.from({ length: 5 }, () => world.tab())
    await world.pass(2 * AFTER)
    assert.equal(world.logouts.length, 1)
    assert.deepEqual(
      tabs.map(({ idle }) => words(idle.state)),
      Array(5).fill('expired 0 idle'),
    )
  })

  it('sign out once, even if the news arrives after the lock', async () => {
    const world = browser()
    for (let n = 0; n < 3; n++) world.tab({ mail: 100 })
    await world.pass(2 * AFTER)
    assert.equal(world.logouts.length, 1)
  })

  it('without a common session each end their own', async () => {
    const world = browser()
    for (let n = 0; n < 3; n++) world.tab({ tabs: 'off' })
    await world.pass(2 * AFTER)
    assert.equal(new Set(world.logouts).size, 3)
    assert.equal(world.logouts.length, 3)
  })

  it('work alone without a channel', async () => {
    const world = browser()
    const tab = world.tab({ lacksChannel: true })
    await world.pass(10 * MINUTE)
    tab.act()
    await world.pass(10 * MINUTE)
    assert.equal(world.logouts.length, 0)
    await world.pass(5 * MINUTE)
    assert.equal(world.logouts.length, 1)
  })

  for (const isLate of [false, true]) {
    it(`do not let a frozen one sign out a user who was active elsewhere${isLate ? ', even if it hears of that late' : ''}`, async () => {
      const world = browser()
      const [frozen, used] = [world.tab(), world.tab()]
      frozen.freeze()
      for (let n = 0; n < 30; n++) {
        await world.pass(MINUTE)
        used.act()
      }
      await frozen.thaw(isLate)
      await world.pass(2000)
      assert.equal(world.logouts.length, 0)
      assert.equal(words(frozen.idle.state), 'active')
    })
  }

  it('leave the logout to the next tab if one dies during it', async () => {
    const world = browser()
    const [dying, next] = [
      world.tab({ manager: { logout: () => new Promise(() => {}) }, tabs: 'off' }),
      world.tab({ tabs: 'off' }),
    ]
    await world.pass(AFTER + 5000)
    assert.deepEqual(world.logouts, [dying])
    // The browser releases its lock.
    world.locks.clear()
    await world.pass(2000)
    assert.deepEqual(world.logouts, [dying, next])
  })

  it('do not wait for one with late timers, which does nothing when it wakes', async () => {
    const world = browser()
    const [late, other] = [world.tab(), world.tab()]
    late.freeze()
    await world.pass(AFTER + 5000)
    assert.deepEqual(world.logouts, [other])
    await late.thaw(true)
    await world.pass(5000)
    assert.deepEqual(world.logouts, [other])
    assert.equal(words(late.idle.state), 'expired 0 idle')
  })
})

describe('a sleeping laptop', () => {
  it('signs out when it wakes, whatever wakes it: the first mouse move does not count as activity', async () => {
    for (const waking of ['wake', 'act']) {
      const world = browser()
      const tab = world.tab()
      world.sleep(8 * 60 * MINUTE)
      tab[waking]()
      tab.act()
      await world.pass(1000)
      assert.equal(world.logouts.length, 1, waking)
      assert.equal(words(tab.idle.state), 'expired 0 idle')
    }
  })

  it('signs out within half a minute if no event reports the wake-up', async () => {
    const world = browser()
    world.tab()
    await world.pass(MINUTE)
    world.sleep(8 * 60 * MINUTE)
    await world.pass(31_000)
    assert.equal(world.logouts.length, 1)
  })

  it('that slept for less than the limit continues with the remaining time', async () => {
    const world = browser()
    const tab = world.tab()
    world.sleep(14.5 * MINUTE)
    tab.wake()
    assert.equal(words(tab.idle.state), 'warning 30000 idle')
    await tab.idle.stay()
    assert.equal(words(tab.idle.state), 'active')
  })

  it('does not stay signed in longer if its clock is set back', async () => {
    const world = browser()
    const tab = world.tab()
    world.now -= 24 * 60 * MINUTE
    tab.wake()
    world.timers.forEach((timer) => (timer.due -= 24 * 60 * MINUTE))
    await world.pass(AFTER + 1000)
    assert.equal(world.logouts.length, 1)
  })
})

describe('messages of other scripts', () => {
  const send = (world, data) => world.channels.forEach(({ heard }) => heard(data))

  it('extend nothing beyond `after` from now', async () => {
    const world = browser()
    world.tab()
    for (const active of [world.now + 1e9, Number.MAX_VALUE, Infinity]) send(world, { active })
    await world.pass(AFTER + 1000)
    assert.equal(world.logouts.length, 1)
  })

  it('with odd contents do nothing, and shorten nothing', async () => {
    const world = browser()
    const tab = world.tab()
    await world.pass(MINUTE)
    tab.act()
    for (const data of [
      null,
      5,
      'x',
      [],
      {},
      { active: '9' },
      { active: NaN },
      { active: -1 },
      { active: world.now - AFTER },
      { end: 0 },
      { end: -Infinity },
      { end: 'x' },
      { expired: true },
      { ask: 1 },
    ])
      send(world, data)
    await world.pass(AFTER - 1000)
    assert.equal(world.logouts.length, 0)
    await world.pass(2000)
    assert.equal(world.logouts.length, 1)
  })

  it("without a number do not postpone the session's own end", async () => {
    const world = browser()
    const tab = world.tab()
    tab.auth.become({ sessionExpiresAt: world.now + 5 * MINUTE })
    for (const end of [NaN, Infinity, '9e99', {}]) send(world, { end })
    await world.pass(5 * MINUTE + 1000)
    assert.equal(words(tab.idle.state), 'expired 0 session')
  })

  it('are answered at most ten times a second', async () => {
    const world = browser()
    world.tab()
    world.posts.length = 0
    for (let n = 0; n < 1000; n++) {
      send(world, { ask: true })
      world.now++
    }
    assert.equal(world.posts.length, 10)
  })

  it('revive nothing that is over', async () => {
    const world = browser()
    const tab = world.tab({ settings: { logout: () => {} } })
    await world.pass(AFTER + 1000)
    send(world, { active: world.now })
    tab.act()
    await tab.idle.stay()
    assert.equal(words(tab.idle.state), 'expired 0 idle')
  })

  it('contain only two times', async () => {
    const world = browser()
    const tab = world.tab()
    world.tab()
    tab.act()
    await tab.idle.stay()
    await world.pass(2 * AFTER)
    const members = new Set(
      world.posts.flatMap((post) =>
        Object.entries(post).map(([name, value]) => `${name} ${value === null ? 'number' : typeof value}`),
      ),
    )
    assert.deepEqual([...members].sort(), ['active number', 'ask boolean', 'end number'])
  })
})

describe('stay', () => {
  it('counts as activity in all tabs, and renews nothing by itself', async () => {
    const world = browser()
    const [one, other] = [world.tab(), world.tab()]
    await world.pass(14.5 * MINUTE)
    await one.idle.stay()
    await settle()
    assert.deepEqual(
      [one, other].map(({ idle }) => words(idle.state)),
      ['active', 'active'],
    )
    assert.equal(one.auth.refreshes, 0)
    await one.idle.stay({ refresh: true })
    assert.equal(one.auth.refreshes, 1)
  })

  it('does not treat an event as its argument', async () => {
    const world = browser()
    const { idle, auth } = world.tab()
    await idle.stay({ type: 'click', preventDefault() {} })
    assert.equal(auth.refreshes, 0)
  })

  it('comes too late after too long a sleep', async () => {
    const world = browser()
    const tab = world.tab()
    world.sleep(2 * AFTER)
    await tab.idle.stay({ refresh: true })
    await world.pass(1000)
    assert.equal(tab.auth.refreshes, 0)
    assert.equal(world.logouts.length, 1)
  })
})

describe("the session's own end", () => {
  it('is warned of, and happens even if the user is active', async () => {
    const world = browser()
    const tab = world.tab()
    tab.auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    await world.pass(9.5 * MINUTE)
    tab.act()
    assert.equal(words(tab.idle.state), 'warning 30000 session')
    await world.pass(MINUTE)
    assert.equal(words(tab.idle.state), 'expired 0 session')
    assert.equal(world.logouts.length, 1)
  })

  it('is postponed by stay(), which asks the server', async () => {
    const world = browser()
    const tab = world.tab({
      manager: { refresh: (auth) => auth.become({ sessionExpiresAt: world.now + 10 * MINUTE }) },
    })
    tab.auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    await world.pass(9.5 * MINUTE)
    await tab.idle.stay()
    assert.equal(tab.auth.refreshes, 1)
    assert.equal(words(tab.idle.state), 'active')
    await world.pass(9 * MINUTE)
    assert.equal(words(tab.idle.state), 'warning 60000 session')
  })

  it('is not postponed if the server cannot be reached, and stay() rejects', async () => {
    const world = browser()
    const tab = world.tab({ manager: { refresh: () => Promise.reject(new Error('no network')) } })
    tab.auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    await world.pass(9.5 * MINUTE)
    await assert.rejects(tab.idle.stay(), { message: 'no network' })
    assert.equal(words(tab.idle.state), 'warning 30000 session')
  })

  it('is the one known to the tab that asked last', async () => {
    const world = browser()
    const [one, other] = [world.tab(), world.tab()]
    for (const { auth } of [one, other]) auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    await world.pass(9.5 * MINUTE)
    // With `tabs: 'lock'` the manager does not tell the other tab.
    one.auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    await settle()
    assert.deepEqual(
      [one, other].map(({ idle }) => words(idle.state)),
      ['active', 'active'],
    )
    other.auth.become({ status: 'signed-out' })
    other.auth.become({ status: 'signed-in', sessionExpiresAt: world.now + 30_000 })
    assert.equal(words(other.idle.state), 'warning 30000 session', 'another session has another end')
  })

  it('is waited for even if it is farther away than a timer allows', async () => {
    const world = browser()
    const tab = world.tab({ settings: { after: 60 * 24 * 60 * MINUTE } })
    tab.auth.become({ sessionExpiresAt: world.now + 30 * 24 * 60 * MINUTE })
    assert.ok(world.timers.every(({ due }) => due - world.now < 2 ** 31))
    world.sleep(30 * 24 * 60 * MINUTE - 30_000)
    tab.wake()
    assert.equal(words(tab.idle.state), 'warning 30000 session')
  })

  it('is recognised when the server ended the session and a call found out', async () => {
    const world = browser()
    const tab = world.tab()
    tab.auth.become({ sessionExpiresAt: world.now + 10 * MINUTE })
    world.sleep(10 * MINUTE)
    tab.auth.become({ status: 'signed-out' })
    assert.equal(words(tab.idle.state), 'expired 0 session')
  })
})

describe('the handle', () => {
  it('keeps its frozen state object until something changes', async () => {
    const world = browser()
    const { idle } = world.tab()
    const { state } = idle
    await world.pass(MINUTE)
    assert.equal(idle.state, state)
    assert.ok(Object.isFrozen(state))
  })

  it('survives a listener that throws, and calls the others', async () => {
    const world = browser()
    const { idle } = world.tab()
    const reported = []
    globalThis.reportError = ({ message }) => reported.push(message)
    let told = 0
    idle.subscribe(() => {
      throw new Error('of the app')
    })
    const end = idle.subscribe(() => told++)
    await world.pass(14 * MINUTE)
    end()
    await world.pass(MINUTE + 1000)
    delete globalThis.reportError
    assert.equal(told, 1)
    assert.equal(world.logouts.length, 1)
    assert.ok(reported.length > 1 && reported.every((message) => message === 'of the app'))
  })

  it('leaves nothing behind when disposed', async () => {
    const world = browser()
    const tab = world.tab()
    await world.pass(14.5 * MINUTE)
    tab.idle.dispose()
    tab.idle.dispose()
    assert.deepEqual([world.timers, world.channels], [[], []])
    tab.act()
    tab.wake()
    await tab.idle.stay({ refresh: true })
    await world.pass(2 * AFTER)
    assert.equal(world.logouts.length + tab.auth.refreshes, 0)
  })
})

describe('watchIdle', () => {
  const auth = {
    state: { status: 'unknown' },
    subscribe: () => () => {},
    refresh: async () => {},
    logout: async () => {},
  }

  it('reports wrong arguments', () => {
    /** @type {[any[], RegExp][]} */
    const wrong = [
      [[], /takes a token manager/],
      [[null, { after: 5000 }], /takes a token manager/],
      [[{ state: {} }, { after: 5000 }], /takes a token manager/],
      [[auth], /`after` takes a number of milliseconds, at least 1000, and got undefined/],
      [[auth, { after: 15 }], /`after`.* got 15/],
      [[auth, { after: Infinity }], /`after`/],
      [[auth, { after: '5000' }], /`after`.* got string/],
      [[auth, { after: 5000, warning: 5000 }], /`warning`.* less than `after`, and got 5000/],
      [[auth, { after: 5000, name: 5 }], /`name` takes a string/],
    ]
    for (const [args, message] of wrong) {
      assert.throws(
        () => /** @type {Function} */ (watchIdle)(...args),
        (/** @type {any} */ error) =>
          isTokenError(error) && error.code === 'invalid-argument' && message.test(error.message),
      )
    }
  })

  it('does no harm under Node, and does not keep it alive', () => {
    const idle = watchIdle(auth, { after: 5000 })
    assert.equal(idle.state.status, 'active')
    // Not disposed: the process must end all the same.
  })
})
