// Everything settles, within time in which the page could run (rule 10): with a busy page, a clock that stands still, locks that are denied
// or never answer, callers that lose interest, a flooded channel.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { startBrowser, User } from './support/browser.mjs'
import { file } from './support/files.mjs'
import { check } from './support/lack.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const FREE = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization, content-type' }
const both = json({ access_token: 'new', refresh_token: 'next', expires_in: 300 }, FREE)

let release, arrived
const stub = await startStub({
  '/auth/login': () => granted('new'),
  '/auth/refresh': () => granted('new'),
  '/auth/held': () => (arrived(), new Promise((resolve) => (release = () => resolve(granted('new'))))),
  '/api/x': ({ headers }) => (headers.authorization === 'Bearer new' ? json({}) : refused()),
  // For a frame without an origin.
  '/free/index.js': async () => ({ ...(await file('/tokenkeep/index.js')), headers: FREE }),
  '/free/token': ({ method }) => (method === 'OPTIONS' ? { status: 204, headers: FREE } : both),
})
const browser = await startBrowser()
const zone = readFileSync(new URL('node_modules/zone.js/bundles/zone.umd.min.js', import.meta.url), 'utf8')

/** A test with a page that has no manager yet. */
function it(name, body) {
  check(name, async (t) => {
    stub.reset()
    const user = await User.visits(t, browser, stub.origin)
    await body(await user.blank(), user)
  })
}

for (const tabs of ['share', 'off']) {
  it(`tasks of more than half a second fail neither a refresh nor a login (tabs: '${tabs}')`, async (page) => {
    const out = await page.evaluate(async (tabs) => {
      await start({ tabs, refresh: { url: '/auth/refresh', timeout: 1000 } })
      let isBusy = true
      const work = () => {
        const end = performance.now() + 600
        while (performance.now() < end);
        if (isBusy) setTimeout(work)
      }
      setTimeout(work)
      const out = [await call('/api/x'), await signIn('alice')]
      isBusy = false
      return out
    }, tabs)
    assert.deepEqual(out, [{ status: 200, body: {} }, { value: { expires_in: 300, token_type: 'Bearer' } }])
    assert.equal(stub.at('/auth/refresh').length, 1)
  })
}

it('one task longer than the time-out fails nothing', async (page) => {
  const out = await page.evaluate(async () => {
    await start({ refresh: { url: '/auth/refresh', timeout: 300 } })
    const sent = call('/api/x')
    const { fetch } = globalThis
    globalThis.fetch = (...args) => {
      const answer = fetch(...args)
      setTimeout(() => {
        const end = performance.now() + 1500
        while (performance.now() < end);
      })
      return answer
    }
    const out = await sent
    globalThis.fetch = fetch
    return out
  })
  assert.equal(out.status, 200)
})

it('if the clock stands still, signing in, a call and a refresh settle without a timer', async (page) => {
  const out = await page.evaluate(async () => {
    await start()
    const [wall, steady] = [Date.now(), performance.now()]
    Date.now = () => wall
    performance.now = () => steady
    globalThis.setTimeout = /** @type {any} */ (() => 0)
    return [
      await signIn('alice'),
      await call('/api/x'),
      await outcome(auth.refresh()),
      await call('/api/x'),
      await outcome(auth.logout()),
    ]
  })
  assert.deepEqual(
    out.map(({ status, value, error }) => error ?? status ?? !!value),
    [true, 200, false, 200, false],
  )
})

it('a frame without an origin, where locks and storage are denied, works alone', async (page) => {
  const out = await page.evaluate(
    (api) =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data))
        const frame = document.createElement('iframe')
        frame.sandbox = 'allow-scripts'
        frame.srcdoc = `<script type=module>
      import { createTokenManager } from '${api}/free/index.js'
      const warn = console.warn
      const said = []
      console.warn = (text) => said.push(text)
      const call = { url: '${api}/free/token', credentials: 'omit' }
      const auth = createTokenManager({ refresh: call, refreshToken: { json: 'refresh_token' }, apis: ['${api}/api'] })
      const say = (promise) => promise.then(() => 'ok', ({ code, message }) => code + ' ' + message)
      const login = await say(auth.login(call.url, { body: '{}', credentials: 'omit' }))
      parent.postMessage({ origin, login, refresh: await say(auth.refresh()), said: said.filter((text) => text.includes('refreshes on its own')).length }, '*')
    </script>`
        document.body.append(frame)
      }),
    stub.origin,
  )
  assert.deepEqual(out, { origin: 'null', login: 'ok', refresh: 'ok', said: 1 })
})

it('locks that never answer cause a typed error, and everything settles', async (page) => {
  const out = await page.evaluate(async () => {
    LockManager.prototype.request = () => new Promise(() => {})
    const real = setTimeout
    // Ten seconds, a hundred times faster.
    globalThis.setTimeout = /** @type {any} */ ((work, ms) => real(work, ms / 100))
    await start()
    const out = await Promise.all([call('/api/x'), signIn('alice'), outcome(auth.logout('/auth/logout'))])
    return out.map(({ error, status }) => error?.code ?? status)
  })
  assert.ok(out.includes('timeout'), out.join())
  assert.equal(stub.at('/auth/refresh').length + stub.at('/auth/login').length, 0)
})

it('a lease until the year 2286 ends after the longest permitted hold', async (page) => {
  const status = await page.evaluate(async () => {
    const name = `tokenkeep ${origin}/auth/refresh`
    const hold = (name, mode) =>
      new Promise((held) => void navigator.locks.request(name, { mode }, () => new Promise(held)).catch(() => {}))
    void hold(`${name} until 9999999999999`, 'shared')
    void hold(name, 'exclusive')
    while ((await navigator.locks.query()).held.length < 2);
    await start()
    const real = { set: setTimeout.bind(globalThis), now: performance.now.bind(performance) }
    // Ten times faster, until the lock is granted.
    let speed = 10
    performance.now = () => real.now() * speed
    globalThis.setTimeout = /** @type {any} */ ((work, ms) => real.set(work, ms / speed))
    const { fetch } = globalThis
    globalThis.fetch = (...args) => ((speed = 1), fetch(...args))
    const { status, error } = await call('/api/x')
    return error ?? status
  })
  assert.equal(status, 200)
})

for (const where of ['in line behind a refresh', 'on the wire']) {
  it(`a login that is aborted ${where} settles at once with the signal's reason`, async (page) => {
    const isHeld = new Promise((resolve) => (arrived = resolve))
    await page.evaluate((isInLine) => {
      globalThis.ready = start({ refresh: isInLine ? '/auth/held' : '/auth/refresh' })
      globalThis.controller = new AbortController()
      if (isInLine) globalThis.refreshed = outcome(auth.refresh())
    }, where !== 'on the wire')
    if (where !== 'on the wire') await isHeld
    await page.evaluate(
      async (url) => {
        await ready
        globalThis.login = auth.login(url, { body: 'x', signal: controller.signal }).then(
          () => 'in',
          (error) => error,
        )
      },
      where === 'on the wire' ? '/auth/held' : '/auth/login',
    )
    if (where === 'on the wire') await isHeld
    const is = await page.evaluate(async () => {
      const reason = new Error('closed')
      controller.abort(reason)
      return (await login) === reason
    })
    release()
    assert.ok(is)
    assert.equal(stub.at('/auth/login').length, 0)
  })
}

it('a refresh function that calls the manager gets an error at once, in its first turn and through its signal', async (page) => {
  const out = await page.evaluate(async () => {
    const told = []
    const note = async (promise) => told.push((await promise).error?.code)
    await start({
      apis: [`${origin}/api`],
      refresh: async ({ signal }) => {
        const first = [note(call('/api/x')), note(signIn('alice')), note(call('/index.html'))]
        await Promise.all(first)
        await note(call('/api/x', { signal }))
        return { accessToken: 'new', expiresIn: 300 }
      },
    })
    return [(await call('/api/x')).status, ...told]
  })
  assert.deepEqual(
    out.map((value) => value ?? null).sort(),
    ['invalid-argument', 'invalid-argument', 'invalid-argument', null, 200].sort(),
  )
})

for (const isFirst of [true, false]) {
  it(`no timer stays pending in Angular's zone, which is there ${isFirst ? 'before' : 'after'} the manager`, async (page) => {
    const out = await page.evaluate(
      async ([zone, isFirst]) => {
        if (!isFirst) await start()
        ;(0, eval)(zone)
        let isPending = false
        const app = Zone.current.fork({
          name: 'app',
          onHasTask(delegate, current, target, state) {
            delegate.hasTask(target, state)
            if (current === target && state.change === 'macroTask') isPending = state.macroTask
          },
        })
        return app.run(async () => {
          if (isFirst) await start()
          const out = [
            (await signIn('alice')).error,
            (await call('/api/x')).status,
            (await outcome(auth.refresh())).error,
          ]
          await Zone.root.run(() => new Promise((resolve) => setTimeout(resolve, 100)))
          return [...out, isPending]
        })
      },
      [zone, isFirst],
    )
    assert.deepEqual(
      out.map((value) => value ?? null),
      [null, 200, null, false],
    )
  })
}

for (const other of [
  'null',
  "'a string'",
  '{ root: { run() {} } }',
  "{ get root() { throw new Error('no zone') } }",
  '{ root: { run(work) { work(); work(); throw 1 } } }',
]) {
  it(`an unrelated global Zone breaks nothing: ${other}`, async (page) => {
    const status = await page.evaluate(async (other) => {
      globalThis.Zone = (0, eval)(`(${other})`)
      await start()
      return (await call('/api/x')).status
    }, other)
    assert.equal(status, 200)
  })
}

it('a hundred thousand messages do not stop the app', async (page) => {
  const { status, reads } = await page.evaluate(async () => {
    const names = []
    const Real = BroadcastChannel
    globalThis.BroadcastChannel = class extends Real {
      constructor(name) {
        super(name)
        names.push(name)
      }
    }
    await start()
    await signIn('alice')
    const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')
    let reads = 0
    Object.defineProperty(MessageEvent.prototype, 'data', {
      get() {
        reads++
        return get.call(this)
      },
    })
    const channels = names.map((name) => new Real(name))
    for (let n = 0; n < 100_000; n++)
      for (const channel of channels)
        channel.postMessage({ tokenkeep: 2, kind: n % 2 ? 'ask' : 'missed', stamp: 0, session: 0 })
    const { status } = await call('/api/x')
    while (!reads) await new Promise((resolve) => setTimeout(resolve))
    return { status, reads }
  })
  assert.equal(status, 200)
  // One in ten milliseconds, and a hundred at once.
  assert.ok(reads < 10_000, `${reads} of them were read`)
})
