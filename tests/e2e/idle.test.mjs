// Idle users are signed out, in real tabs: activity in any tab counts, sleep counts, and the server is told once.

import assert from 'node:assert/strict'
import { startBrowser } from './support/browser.mjs'
import { blocks, documented } from './support/docs.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { takeTime } from './pages/time.js'

const SECOND = 1000
const AFTER = 60 * SECOND
const server = await startStrict()
const browser = await startBrowser()

const it = eachWithUser(server, browser)

// The start of all tabs' clocks: later than now, so that no token has run out.
const begin = Date.now() + 60 * SECOND

/** A tab with a watch, whose time the test controls. Its token outlives the test. */
async function watched(user, options = {}) {
  const page = await user.blank()
  await page.evaluate(takeTime)
  await page.evaluate(
    async ([begin, { watch, ...options }]) => {
      time.set(begin - Date.now())
      await start({ logout: '/auth/logout', ...options })
      const { watchIdle } = await import('/tokenkeep/session/idle.js')
      // The tab's logout, to wait for: it begins when the tab gets a lock, after the state has changed. A late one would count for the next
      // test.
      let leave
      globalThis.left = new Promise((resolve) => (leave = resolve))
      const observed = Object.create(auth, {
        logout: {
          value: () => {
            const told = auth.logout()
            leave(told)
            return told
          },
        },
      })
      globalThis.idle = watchIdle(observed, { after: 60_000, warning: 10_000, ...watch })
      globalThis.words = () =>
        [idle.state.status, idle.state.remaining, idle.state.reason].filter((word) => word !== null).join(' ')
      globalThis.seen = []
      idle.subscribe(() => seen.push(words()))
      /** Resolves as soon as the state is the wanted one. */
      globalThis.becomes = (wanted) =>
        new Promise((resolve) => {
          const look = () => words() === wanted && resolve()
          idle.subscribe(look)
          look()
        })
    },
    [begin, options],
  )
  return page
}

const signIn = (page) => page.evaluate(() => signIn('alice'))
const isIn = (page) => page.evaluate(() => until(({ status }) => status === 'signed-in'))
const pass = (pages, ms) => Promise.all(pages.map((page) => page.evaluate((ms) => time.pass(ms), ms)))
const words = (pages) => Promise.all(pages.map((page) => page.evaluate(() => words())))
const becomes = (pages, wanted) => Promise.all(pages.map((page) => page.evaluate((wanted) => becomes(wanted), wanted)))
const move = (page) =>
  page.evaluate(
    () => void dispatchEvent(new PointerEvent('pointermove', { screenX: (globalThis.x = (globalThis.x ?? 0) + 1) })),
  )
/** The tab's logout has reached the server. */
const hasLeft = (page) => page.evaluate(() => left)
const logouts = () => server.at('/auth/logout').length

/** Two tabs of one session. */
async function two(user, options) {
  const pages = [await watched(user, options), await watched(user, options)]
  await signIn(pages[0])
  if (options?.tabs === 'off') await signIn(pages[1])
  else await isIn(pages[1])
  return pages
}

it('with activity in neither tab, both warn, both end, and the server is told once', async (user) => {
  const pages = await two(user)
  await pass(pages, AFTER - 10 * SECOND)
  assert.deepEqual(await words(pages), Array(2).fill('warning 10000 idle'))
  await pass(pages, 10 * SECOND - 1)
  assert.deepEqual(await words(pages), Array(2).fill('warning 1000 idle'))
  assert.equal(logouts(), 0)
  await pass(pages, SECOND)
  await becomes(pages, 'expired 0 idle')
  await Promise.all(pages.map((page) => page.evaluate(() => until(({ status }) => status === 'signed-out'))))
  await Promise.race(pages.map(hasLeft))
  await pass(pages, 10 * SECOND)
  assert.equal(logouts(), 1)
  const told = await Promise.all(
    pages.map((page) => page.evaluate(() => events.filter((event) => event.startsWith('signout')))),
  )
  assert.deepEqual(told.flat().sort(), ['signout logout', 'signout other-tab'])
  assert.deepEqual(await pages[0].evaluate(() => seen.slice(0, 3)), [
    'warning 10000 idle',
    'warning 9000 idle',
    'warning 8000 idle',
  ])
})

it('activity in one tab counts in the other, and removes its warning', async (user) => {
  const [used, other] = await two(user)
  const pages = [used, other]
  for (let round = 0; round < 3; round++) {
    await pass(pages, AFTER - 5 * SECOND)
    await becomes(pages, 'warning 5000 idle')
    await move(used)
    await becomes([other], 'active')
    // In the active tab the warning stays until its end.
    assert.deepEqual(await words([used]), ['warning 5000 idle'])
    await used.evaluate(() => idle.stay())
    await becomes(pages, 'active')
  }
  assert.equal(logouts(), 0)
})

it('a tab whose time has run out asks the others first', async (user) => {
  const [used, other] = await two(user)
  // One tab is used all the time, and the other has heard nothing of it, like a frozen tab.
  await used.evaluate(async () => {
    const { postMessage } = BroadcastChannel.prototype
    BroadcastChannel.prototype.postMessage = function (data) {
      // Drops the messages that the tab sends by itself.
      if (!('active' in data)) postMessage.call(this, data)
    }
    await time.pass(50_000)
    dispatchEvent(new PointerEvent('pointermove'))
    BroadcastChannel.prototype.postMessage = postMessage
  })
  await other.evaluate(async () => {
    // This listener hears what the watch hears, after it, including its question.
    const channel = new BroadcastChannel('tokenkeep-idle session')
    const answered = new Promise((resolve) => (channel.onmessage = ({ data }) => 'active' in data && resolve()))
    await time.pass(60_000)
    await answered
    await time.pass(1000)
  })
  assert.deepEqual(await words([other]), ['active'])
  assert.equal(logouts(), 0)
  assert.equal(await other.evaluate(() => auth.state.status), 'signed-in')
})

it('stay() in one tab applies to both', async (user) => {
  const pages = await two(user)
  await pass(pages, AFTER - 5 * SECOND)
  await pages[1].evaluate(() => idle.stay())
  await becomes(pages, 'active')
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('a real click counts as activity', async (user) => {
  const page = await watched(user)
  await signIn(page)
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('button'), { id: 'there', textContent: 'there' })),
  )
  await pass([page], AFTER / 2)
  await page.click('#there')
  await pass([page], AFTER - 11 * SECOND)
  assert.deepEqual(await words([page]), ['active'])
  await page.click('#there')
  await pass([page], AFTER - 5 * SECOND)
  assert.deepEqual(await words([page]), ['warning 5000 idle'])
  // Also during a warning.
  await page.click('#there')
  await pass([page], 6 * SECOND)
  assert.deepEqual(await words([page]), ['active'])
})

it('a resting pointer is no activity, although browsers report moves when the page moves under it', async (user) => {
  const page = await watched(user)
  await signIn(page)
  await move(page)
  for (let round = 0; round < 6; round++) {
    await pass([page], 10 * SECOND)
    await page.evaluate(() => void dispatchEvent(new PointerEvent('pointermove', { screenX: x })))
  }
  await pass([page], SECOND)
  await becomes([page], 'expired 0 idle')
  await hasLeft(page)
})

for (const [waking, wake] of Object.entries({
  'the first move of the mouse': () => dispatchEvent(new PointerEvent('pointermove')),
  'being seen': () => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })),
  "the page's return": () => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  focus: () => dispatchEvent(new Event('focus')),
})) {
  it(`after a sleep of hours ${waking} ends the session`, async (user) => {
    const page = await watched(user)
    await signIn(page)
    // Only the wall clock has advanced.
    await page.evaluate(() => time.set(8 * 3_600_000))
    await page.evaluate(wake)
    await pass([page], SECOND)
    await becomes([page], 'expired 0 idle')
    await hasLeft(page)
    assert.deepEqual(await page.evaluate(() => [auth.state.status, ...told()]), ['signed-out', 'signout logout'])
    assert.equal(logouts(), 1)
  })
}

it('tabs that share nothing each end their own session', async (user) => {
  const pages = await two(user, { tabs: 'off' })
  await pass(pages, AFTER + SECOND)
  await becomes(pages, 'expired 0 idle')
  const both = Promise.all(pages.map(hasLeft)).then(() => true)
  // One tab releases the lock after a while, and the other tries again after a while.
  while (!(await Promise.race([both, pass(pages, SECOND).then(() => false)])));
  await pass(pages, 10 * SECOND)
  assert.equal(logouts(), 2)
})

it('without BroadcastChannel and Web Locks a tab works alone, and nothing fails', async (user) => {
  const page = await user.blank()
  await page.evaluate(takeTime)
  const errors = await page.evaluate(async () => {
    const errors = []
    addEventListener('error', ({ message }) => errors.push(message))
    addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
    delete globalThis.BroadcastChannel
    Object.defineProperty(navigator, 'locks', { value: undefined })
    await start({ logout: '/auth/logout' })
    await signIn('alice')
    const { watchIdle } = await import('/tokenkeep/session/idle.js')
    globalThis.idle = watchIdle(auth, { after: 60_000 })
    await time.pass(50_000)
    dispatchEvent(new PointerEvent('pointermove'))
    await time.pass(50_000)
    const { status } = auth.state
    await time.pass(11_000)
    return [...errors, status, idle.state.status, auth.state.status]
  })
  assert.deepEqual(errors, ['signed-in', 'expired', 'signed-out'])
})

it('messages from other scripts do not extend a session beyond `after` from now', async (user) => {
  const page = await watched(user)
  await signIn(page)
  const script = await user.blank()
  await script.evaluate((later) => {
    globalThis.script = new BroadcastChannel('tokenkeep-idle session')
    script.postMessage({ active: later, end: later })
    script.postMessage({ active: 'now' })
    script.postMessage(null)
    // It is answered, so all earlier messages were heard.
    return new Promise((resolve) => {
      script.onmessage = resolve
      script.postMessage({ ask: true })
    })
  }, begin + 1e9)
  await pass([page], AFTER + SECOND)
  await becomes([page], 'expired 0 idle')
  await hasLeft(page)
})

it("a tab's messages contain two times, and nothing is stored", async (user) => {
  const pages = await two(user)
  const script = await user.blank()
  await script.evaluate(() => {
    globalThis.overheard = []
    globalThis.script = new BroadcastChannel('tokenkeep-idle session')
    globalThis.asked = new Promise(
      (resolve) =>
        (script.onmessage = ({ data }) => {
          globalThis.overheard.push(data)
          if (data.ask) resolve()
        }),
    )
  })
  await move(pages[0])
  await pass(pages, AFTER)
  await script.evaluate(() => asked)
  const heard = await script.evaluate(() => globalThis.overheard)
  assert.ok(heard.length)
  for (const message of heard) {
    for (const [name, value] of Object.entries(message))
      assert.ok(
        (name === 'ask' && value === true) ||
          value === null ||
          (['active', 'end'].includes(name) && typeof value === 'number'),
        JSON.stringify(message),
      )
  }
  assert.deepEqual(
    await script.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]),
    [[], [], ''],
  )
})

it("the session's own end is warned of, stay() renews it, and otherwise it comes", async (user) => {
  const lasting = (answer) => ({
    ...answer,
    body: JSON.stringify({ ...JSON.parse(answer.body), refresh_expires_in: 40 }),
  })
  const alice = { sub: 'alice' }
  server.route('/auth/login', (arrived) => lasting(server.grant(alice, server.session(arrived, alice))))
  server.route('/auth/refresh', (arrived) =>
    lasting(server.grant(server.rotate(arrived), server.session(arrived, alice))),
  )
  const page = await watched(user)
  await signIn(page)
  await pass([page], 35 * SECOND)
  await move(page)
  assert.deepEqual(await words([page]), ['warning 5000 session'])
  await page.evaluate(() => idle.stay())
  assert.deepEqual(await words([page]), ['active'])
  assert.equal(server.at('/auth/refresh').length, 1)
  await pass([page], 35 * SECOND)
  assert.deepEqual(await words([page]), ['warning 5000 session'])
  await pass([page], 6 * SECOND)
  await becomes([page], 'expired 0 session')
  await hasLeft(page)
})

it('the page of the documentation works as described', async (user) => {
  for (const [path, answer] of Object.entries(documented('sessions/idle', blocks('sessions/idle', 'html')[0])))
    server.route(path, answer)
  const page = await user.blank()
  await page.evaluate(takeTime)
  await page.evaluate(async () => {
    const { auth, idle } = await import('/snippet.js')
    Object.assign(globalThis, { idle, dialog: document.querySelector('dialog') })
    await watch(auth)
    await signIn('alice')
  })
  const shown = () => page.evaluate(() => [dialog.open, dialog.querySelector('output').value, location.hash])
  await page.evaluate(() => time.pass(14 * 60_000 + 1000))
  assert.deepEqual(await shown(), [true, 'You will be signed out in 59 s.', ''])
  await page.click('dialog button')
  assert.equal((await shown())[0], false)
  await page.evaluate(() => time.pass(15 * 60_000 + 1000))
  const [isOpen, , hash] = await shown()
  assert.deepEqual([isOpen, hash], [false, '#signed-out'])
  // The page shows it before it gets the lock, and signs out after that.
  await page.evaluate(() => until(({ status }) => status === 'signed-out'))
})
