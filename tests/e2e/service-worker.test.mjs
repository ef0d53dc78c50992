// The home in a service worker: the page's own requests carry the token, all tabs share one session, and the worker may
// be ended or replaced at any time. isolation.test.mjs tests what all homes have in common.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { startBrowser } from './support/browser.mjs'
import { engine } from './support/engine.mjs'
import { Lack } from './support/lack.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { json, refused, startStub } from './support/stub.mjs'

const HOME = 'service-worker'
const server = await startStrict()
const elsewhere = await startStub({ '/image': () => ({ body: '' }) })
const browser = await startBrowser()
const it = eachWithUser(server, browser)

const API = { isolation: HOME, apis: ['/api'] }
const logouts = () => server.at('/auth/logout').length
const refreshes = () => server.at('/auth/refresh').length
const tokens = (path) => server.at(path).map(({ headers }) => Boolean(headers.authorization))

/** The app's service worker file, with its options. */
const own = (options, more = '', how) => ({
  type: 'text/javascript',
  body: `
  importScripts('/tokenkeep/isolation/service-worker-script.js')
  tokenkeep.serve(${JSON.stringify({ refresh: '/auth/refresh', logout: '/auth/logout', ...options })}, ${JSON.stringify(how)})
  ${more}`,
})

/** Resolves when a service worker controls the page. */
const controlled = (page) =>
  page.evaluate(async () => {
    const { serviceWorker } = navigator
    if (!serviceWorker.controller)
      await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve))
  })

/** A signed-in tab that the service worker controls. */
async function signedIn(user, options, prepare) {
  const page = await user.tab({ ...API, ...options }, prepare)
  await page.evaluate(() => signIn('alice', 'x'))
  await controlled(page)
  return page
}

/** A tab that passes no options, because its worker file contains them. */
async function attached(user, prepare) {
  const page = await user.blank(prepare)
  await attach(page)
  return page
}

const attach = (page) =>
  page.evaluate(async () => {
    const { createTokenManager } = await import('/home.js')
    await watch(createTokenManager({ isolation: 'service-worker', worker: '/app.js' }))
  })

/** The response to the page's own fetch. */
const plain = (page, path = '/api/who', init) =>
  page.evaluate(
    ([path, init]) =>
      fetch(path, init).then(
        async (answer) => [answer.status, answer.ok ? (await answer.json()).sub : null],
        ({ name }) => name,
      ),
    [path, init],
  )

/** Ends all service workers, as the browser does when they are idle. */
async function kill(user, page) {
  if (engine !== 'chrome') throw new Lack('a driver that ends service workers')
  const session = await user.context.newCDPSession(page)
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await session.detach()
}

it("the page's own requests carry the token: fetch, XMLHttpRequest, an image, a video, EventSource", async (user) => {
  const page = await signedIn(user)
  server.route('/api/events', (arrived) =>
    server.who(arrived) ? { type: 'text/event-stream', body: 'data: hello\n\n' } : refused(),
  )
  server.route('/api/photo', (arrived) =>
    server.who(arrived)
      ? { type: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"/>' }
      : refused(),
  )
  assert.deepEqual(await plain(page), [200, 'alice'])
  const seen = await page.evaluate(async () => {
    const xhr = new XMLHttpRequest()
    xhr.open('GET', '/api/who')
    const loaded = new Promise((resolve) => (xhr.onloadend = resolve))
    xhr.send()
    await loaded
    const image = new Image()
    image.src = '/api/photo'
    await image.decode()
    const source = new EventSource('/api/events')
    const { data } = await new Promise((resolve, reject) =>
      Object.assign(source, { onmessage: resolve, onerror: reject }),
    )
    source.close()
    return [xhr.status, image.naturalWidth, data]
  })
  assert.deepEqual(seen, [200, 7, 'hello'])
  server.revoke()
  const before = refreshes()
  const after = await page.evaluate(async () => {
    const image = new Image()
    image.src = '/api/photo?2'
    const all = await Promise.all([
      image.decode().then(() => 200),
      ...Array.from({ length: 10 }, (_, n) => fetch(`/api/who?${n}`).then(({ status }) => status)),
    ])
    return all
  })
  assert.deepEqual(after, Array(11).fill(200))
  assert.equal(refreshes() - before, 1)
})

it('an upload by XMLHttpRequest arrives complete, also again after a 401, and reports its progress', async (user) => {
  const page = await signedIn(user)
  server.route('/api/upload', (arrived) => (server.who(arrived) ? json({ sha256: arrived.sha256 }) : refused()))
  server.revoke()
  const [status, { sha256 }, told] = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const xhr = new XMLHttpRequest()
        const told = []
        for (const type of ['loadstart', 'progress', 'load', 'loadend'])
          xhr.upload.addEventListener(type, (/** @type {any} */ { loaded }) => told.push([type, loaded]))
        xhr.onloadend = () => resolve([xhr.status, JSON.parse(xhr.responseText), told])
        xhr.open('POST', '/api/upload')
        xhr.send(new Blob(['x'.repeat(3_000_000)]))
      }),
  )
  assert.equal(status, 200)
  assert.deepEqual(
    server.at('/api/upload').map((arrived) => [arrived.sha256, arrived.body.length]),
    Array(2).fill([sha256, 3_000_000]),
  )
  assert.deepEqual(told[0], ['loadstart', 0])
  if (engine !== 'firefox') throw new Lack('events that tell how far an upload is which a service worker answers')
  assert.deepEqual(told.at(-1), ['loadend', 3_000_000])
})

it('requests that are not calls of the API are left alone: navigations, scripts, styles, other paths, an Authorization of its own, other origins', async (user) => {
  const page = await signedIn(user)
  for (const path of ['/api/page', '/api/script.js', '/api/style.css', '/other'])
    server.route(path, ({ path }) => ({
      type: path.endsWith('js') ? 'text/javascript' : path.endsWith('css') ? 'text/css' : 'text/html',
      body: '',
    }))
  server.route('/api/basic', ({ headers }) => json({ sub: headers.authorization }))
  // No page load waits for a refresh.
  server.revoke()
  const held = server.hold('/auth/refresh')
  const waiting = page.evaluate(() => fetch('/api/who').then(({ status }) => status))
  await held.arrived()
  assert.deepEqual(await plain(page, '/api/basic', { headers: { authorization: 'Basic x' } }), [200, 'Basic x'])
  await page.evaluate(async (far) => {
    const added = (name, members) =>
      new Promise((resolve) => {
        const element = Object.assign(document.createElement(name), members)
        element.onload = element.onerror = resolve
        document.body.append(element)
      })
    await added('iframe', { src: '/api/page' })
    await added('script', { src: '/api/script.js' })
    await added('link', { rel: 'stylesheet', href: '/api/style.css' })
    await added('img', { src: `${far}/image` })
    await fetch('/other')
  }, elsewhere.origin)
  held.release()
  assert.equal(await waiting, 200)
  for (const path of ['/api/page', '/api/script.js', '/api/style.css', '/other'])
    assert.deepEqual(tokens(path), [false], path)
  assert.deepEqual(
    elsewhere.at('/image').map(({ headers }) => headers.authorization),
    [undefined],
  )
})

it("the page's own fetch cannot call endpoints that return tokens", async (user) => {
  const page = await signedIn(user)
  for (const path of ['/auth/refresh', '/auth//Refresh?x', '/auth/login'])
    assert.equal(await plain(page, path, { method: 'POST' }), 'TypeError', path)
  assert.deepEqual(server.lines('/auth/refresh', '/auth/login'), ['POST /auth/login'])
})

it('nor after the worker was restarted: it remembers the endpoints that answered a login', async (user) => {
  const page = await signedIn(user)
  await kill(user, page)
  // For this call, the worker has read its marks.
  await plain(page)
  const after = server.lines('/auth/refresh', '/auth/login').length
  assert.equal(await plain(page, '/auth/login', { method: 'POST' }), 'TypeError')
  assert.equal(server.lines('/auth/refresh', '/auth/login').length, after)
})

it('the page does not get the header with a new token, and the token is used', async (user) => {
  const page = await signedIn(user, { adopt: { header: 'X-Next' } })
  server.route('/api/next', () => {
    server.revoke()
    return json({}, { 'x-next': JSON.parse(server.grant({ sub: 'alice' }).body).access_token, 'x-other': 'b' })
  })
  assert.deepEqual(
    await page.evaluate(async () =>
      [...(await fetch('/api/next')).headers.keys()].filter((name) => name.startsWith('x-')),
    ),
    ['x-other'],
  )
  assert.deepEqual(await plain(page), [200, 'alice'])
  assert.equal(refreshes(), 0)
})

it('a page that the service worker does not control shares the session by messages: at the first load, and after a forced reload', async (user) => {
  server.route('/app.js', () => own({ apis: ['/api'] }))
  const page = await attached(user)
  await page.evaluate(() => signIn('alice', 'x'))
  assert.deepEqual(
    await page.evaluate(async () => [navigator.serviceWorker.controller, (await call('/api/who')).body.sub]),
    [null, 'alice'],
  )
  assert.deepEqual(await plain(page), [401, null], "the page's own fetch does not go by it")
  await page.reload()
  await attach(page)
  assert.deepEqual(
    await page.evaluate(async () => [!!navigator.serviceWorker.controller, (await call('/api/who')).body.sub]),
    [true, 'alice'],
  )
  assert.deepEqual(await plain(page), [200, 'alice'])
  assert.equal(refreshes(), 0)
})

it('two tabs, with and without a manager, share one session and one refresh', async (user) => {
  const one = await signedIn(user)
  const other = await user.tab(API)
  const bare = await user.blank()
  server.revoke()
  const held = server.hold('/auth/refresh')
  const answers = [
    one.evaluate(() => call('/api/who')),
    other.evaluate(() => call('/api/who')),
    bare.evaluate(() => fetch('/api/who').then(({ status }) => ({ status }))),
  ]
  await held.arrived()
  held.release()
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    [200, 200, 200],
  )
  assert.equal(refreshes(), 1)
  assert.equal(server.reuses, 0)
  await Promise.all([
    other.evaluate(() => heard('signout other-tab')),
    one.evaluate(() => outcome(auth.logout('/auth/logout'))),
  ])
  assert.deepEqual(await plain(bare), [401, null])
})

it('after the worker was ended, the next call starts it again, and it refreshes', async (user) => {
  const page = await signedIn(user)
  const other = await user.tab(API)
  await other.evaluate(() => call('/api/who'))
  await kill(user, page)
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 200)
  assert.equal(refreshes(), 1)
  // The other tab has heard of the restart, and hears of changes to the session.
  await Promise.all([
    other.evaluate(() => heard('signout other-tab')),
    page.evaluate(async () => {
      await auth.fetch('/api/who')
      await auth.logout('/auth/logout')
    }),
  ])
  assert.equal(await other.evaluate(() => auth.state.status), 'signed-out')
})

it("after the worker was ended, the page's own fetch starts it again", async (user) => {
  const page = await signedIn(user)
  await kill(user, page)
  assert.deepEqual(await plain(page), [200, 'alice'])
  assert.equal(refreshes(), 1)
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 200)
  assert.equal(refreshes(), 1)
})

it('calls in flight when the worker is ended fail like network errors, or are repeated if that is safe', async (user) => {
  const page = await signedIn(user)
  let arrives
  const isHere = new Promise((resolve) => (arrives = resolve))
  server.route('/api/never', { handle: () => arrives() })
  await page.evaluate(() => void (globalThis.lost = outcome(auth.fetch('/api/never', { method: 'POST', body: 'x' }))))
  await isHere
  await kill(user, page)
  assert.deepEqual(await page.evaluate(async () => [await outcome(auth.refresh()), (await lost).thrown.slice(0, 9)]), [
    { value: undefined },
    'TypeError',
  ])
  const asked = new Promise((resolve) => server.route('/auth/refresh', { handle: resolve }))
  await page.evaluate(() => void (globalThis.again = outcome(auth.refresh())))
  await asked
  server.route('/auth/refresh', (arrived) => server.grant(server.rotate(arrived)))
  await kill(user, page)
  assert.equal((await page.evaluate(() => again)).error, undefined)
})

/** In the worker: each write to IndexedDB is committed late. */
const SLOW = `
  const { transaction } = IDBDatabase.prototype
  IDBDatabase.prototype.transaction = function (name, mode) {
    const made = transaction.call(this, name, mode)
    let left = mode === 'readwrite' ? 1000 : 0
    const prolong = () => left-- > 0 && (made.objectStore(name).count().onsuccess = prolong)
    prolong()
    return made
  }`

it('the user stays signed out after the worker was ended, and stays signed in after the next login', async (user) => {
  server.route('/app.js', () => own({ apis: ['/api'] }, SLOW, { takeOver: true }))
  const page = await attached(user)
  await page.evaluate(() => signIn('alice', 'x'))
  await controlled(page)
  // The server is not told, so the cookie still exists.
  await page.evaluate(() => auth.logout())
  await kill(user, page)
  assert.deepEqual(await plain(page), [401, null])
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 401)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  assert.equal(refreshes(), 0)
  await page.evaluate(() => signIn('bob', 'x'))
  await kill(user, page)
  assert.deepEqual(await plain(page), [200, 'bob'])
})

it('a page that may follow a new sign-in asks again, even after a sign-out', async (user) => {
  const page = await signedIn(user)
  const other = await user.tab(API)
  await page.evaluate(() => auth.logout())
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 401)
  server.route('/back', () => ({ status: 302, headers: { location: '/' } }))
  await page.goto(`${user.origin}/back`)
  await page.evaluate((options) => start(options), API)
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'alice')
  await other.evaluate(() => until(({ status }) => status === 'signed-in'))
})

it('a pending logout is finished before anything else, and no fetch of a page restores the session', async (user) => {
  const page = await signedIn(user, { logout: '/auth/logout' })
  server.route('/auth/logout', () => ({ status: 503 }))
  assert.equal((await page.evaluate(() => outcome(auth.logout()))).error.code, 'bad-status')
  await kill(user, page)
  server.route('/auth/logout', (arrived) => (server.end(arrived), { status: 204 }))
  const before = logouts()
  assert.deepEqual(await plain(await user.blank()), [401, null])
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 401)
  assert.equal(logouts() - before, 1)
  assert.equal(refreshes(), 0)
})

it('another version takes over while calls are in flight: they are answered, and no refresh token is used twice', async (user) => {
  let version = 1
  server.route('/app.js', () => own({ apis: ['/api'] }, `// ${version}`, { takeOver: true }))
  const page = await attached(user)
  await page.evaluate(() => signIn('alice', 'x'))
  await controlled(page)
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  await page.evaluate(
    () =>
      void (globalThis.waiting = Promise.all([
        call('/api/who'),
        fetch('/api/who?2').then(({ status }) => ({ status })),
      ])),
  )
  await refreshing.arrived()
  version = 2
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration()
    const installed = new Promise((/** @type {(nothing?: undefined) => void} */ resolve) =>
      registration.addEventListener('updatefound', () => {
        // On a busy machine it is installed, or even active, before the event arrives.
        const { installing } = registration
        if (!installing) return resolve()
        const look = () => installing.state !== 'installing' && resolve()
        installing.addEventListener('statechange', look)
        look()
      }),
    )
    globalThis.changed = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve))
    await registration.update()
    await installed
  })
  const next = page.evaluate(() => call('/api/who?3'))
  refreshing.release()
  assert.deepEqual(
    (await page.evaluate(() => waiting)).map(({ status }) => status),
    [200, 200],
  )
  assert.equal((await next).status, 200)
  await page.evaluate(() => changed)
  assert.equal((await page.evaluate(() => call('/api/who?4'))).status, 200)
  assert.deepEqual(await plain(page, '/api/who?5'), [200, 'alice'])
  assert.equal(server.reuses, 0)
})

it('works beside Workbox and other listeners, and does not answer their requests', async (user) => {
  const require = createRequire(import.meta.url)
  for (const name of ['core', 'routing', 'strategies']) {
    const folder = require.resolve(`workbox-${name}/package.json`).replace('package.json', '')
    server.route(`/workbox-${name}.js`, () => ({
      type: 'text/javascript',
      body: readFileSync(`${folder}build/workbox-${name}.prod.js`),
    }))
  }
  server.route('/kept/', ({ nth }) => json({ nth }))
  server.route('/app.js', () =>
    own(
      { apis: ['/api'] },
      `
    importScripts('/workbox-core.js', '/workbox-routing.js', '/workbox-strategies.js')
    workbox.core.clientsClaim()
    self.skipWaiting()
    workbox.routing.registerRoute(({ url }) => url.pathname.startsWith('/kept/'), new workbox.strategies.CacheFirst({ cacheName: 'kept' }))
    // A listener that would cache everything, the API's responses too.
    workbox.routing.setDefaultHandler(new workbox.strategies.NetworkFirst({ cacheName: 'all' }))
    addEventListener('fetch', (event) => new URL(event.request.url).pathname === '/mine' && event.respondWith(new Response('mine')))`,
    ),
  )
  const page = await attached(user)
  await page.evaluate(() => signIn('alice', 'x'))
  await controlled(page)
  assert.deepEqual(await plain(page), [200, 'alice'])
  const seen = await page.evaluate(async () => {
    const twice = [await (await fetch('/kept/a')).json()]
    // The response is cached after it was delivered.
    while (!(await caches.match('/kept/a'))) await new Promise((resolve) => setTimeout(resolve))
    twice.push(await (await fetch('/kept/a')).json())
    const headers = []
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys())
        headers.push([new URL(request.url).pathname, request.headers.get('authorization')])
    }
    return { twice, headers }
  })
  assert.deepEqual(seen.twice, [{ nth: 1 }, { nth: 1 }])
  assert.ok(!seen.headers.some(([path, token]) => token || path.startsWith('/api')), JSON.stringify(seen.headers))
  assert.ok(seen.headers.some(([path]) => path === '/kept/a'))
})

it('a restarted worker reads the cookies that the options name, before any page has sent them', async (user) => {
  const page = await signedIn(user, { csrf: { cookie: 'csrf', header: 'X-CSRF' } })
  await page.evaluate(() => void (document.cookie = 'csrf=one%21'))
  await kill(user, page)
  assert.deepEqual(await plain(await user.blank()), [200, 'alice'])
  assert.deepEqual(
    server.at('/auth/refresh').map(({ headers }) => headers['x-csrf']),
    ['one!'],
  )
})

it('without service workers, the error says why, and only a named fallback is used', async (user) => {
  const page = await user.blank()
  const seen = await page.evaluate(async () => {
    const { createTokenManager } = await import('/tokenkeep/isolation/page.js')
    const tried = async (options) => {
      const made = createTokenManager({
        refresh: '/auth/refresh',
        apis: ['/api'],
        isolation: 'service-worker',
        ...options,
      })
      const { status, code, message } = await made.fetch('/api/who').catch((error) => error)
      made.dispose()
      return code ? `${code}: ${message}` : status
    }
    const missing = await tried({})
    const nowhere = await tried({ worker: '/nowhere.js' })
    Object.defineProperty(navigator, 'serviceWorker', { value: undefined, configurable: true })
    const none = await tried({ worker: '/sw.js' })
    const other = await tried({ worker: '/sw.js', fallback: 'worker' })
    Object.defineProperty(globalThis, 'isSecureContext', { value: false })
    return {
      missing,
      nowhere,
      none,
      other,
      insecure: await tried({ worker: '/sw.js' }),
      odd: await tried({ worker: '/sw.js', fallback: 'page' }),
    }
  })
  assert.match(seen.missing, /^invalid-option: option `worker`/)
  assert.match(seen.nowhere, /^not-loaded: .*refused it/)
  assert.match(seen.none, /^not-loaded: .*no service workers/)
  assert.equal(seen.other, 401)
  assert.match(seen.insecure, /^not-loaded: .*secure context/)
  assert.match(seen.odd, /^invalid-option: option `fallback`/)
})

it('the error names a policy that forbids the worker', async (user) => {
  server.route('/strict', () => ({
    type: 'text/html',
    headers: { 'content-security-policy': "worker-src 'none'" },
    body: '<!doctype html><script type="module" src="/page.js"></script>',
  }))
  const page = await user.blank()
  await page.goto(`${user.origin}/strict`)
  const message = await page.evaluate(async () => {
    await import('/page.js')
    return make({ isolation: 'service-worker' })
      .fetch('/api/who')
      .catch(({ code, message }) => `${code}: ${message}`)
  })
  assert.match(message, /^not-loaded: .*(worker-src|refused it)/)
})

it('a service worker with other options is left in place, and gets no messages', async (user) => {
  const page = await signedIn(user)
  const other = await user.tab({ ...API, apis: ['/other'] })
  await other.evaluate(() => auth.ready)
  const seen = await page.evaluate(() => call('/api/who'))
  assert.equal(seen.error?.code, 'not-loaded')
  assert.equal((await other.evaluate(() => call('/api/who'))).status, 401)
})

/** The keys of the proofs of logins and refreshes. */
const keys = () =>
  [...server.at('/auth/login'), ...server.at('/auth/refresh')].map(({ headers: { dpop } }) =>
    JSON.stringify(JSON.parse(Buffer.from(dpop.split('.')[0], 'base64url').toString()).jwk),
  )

it('the worker makes the proofs', async (user) => {
  const page = await signedIn(user, { dpop: true })
  server.revoke()
  assert.deepEqual(await plain(page), [200, 'alice'])
  assert.equal(keys().length, 2)
  assert.equal(new Set(keys()).size, 1)
})

it('a restarted worker has the key of the proofs', async (user) => {
  const page = await signedIn(user, { dpop: true })
  await kill(user, page)
  assert.deepEqual(await plain(page), [200, 'alice'])
  assert.equal(keys().length, 2)
  assert.equal(new Set(keys()).size, 1)
})
