// Scripts in the page that only search: the manager and its results, and every place where a token could be left.

import { patch, ACCESS, REFRESH } from '../support/rows.mjs'

/** A script that searches the page after a session. */
const search = (name, look, more) => ({
  name,
  seeks: ACCESS,
  inherent: [],
  ...more,
  async mount(scene) {
    const page = await scene.tab({ options: more?.options })
    await scene.story(page)
    await page.evaluate(look)
    return scene.loot(page)
  },
})

export default [
  search('`localStorage`, `sessionStorage`', () => attacker.keep({ ...localStorage }, { ...sessionStorage })),
  search('`document.cookie`, `cookieStore`', async () =>
    attacker.keep(document.cookie, await globalThis.cookieStore?.getAll()),
  ),
  search(
    '`document.cookie`, `cookieStore`',
    async () => attacker.keep(document.cookie, await globalThis.cookieStore?.getAll()),
    { seeks: REFRESH },
  ),
  search('IndexedDB', async () => {
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name))
      for (const store of database.objectStoreNames)
        attacker.keep(await done(database.transaction(store).objectStore(store).getAll()))
      database.close()
    }
  }),
  search('`caches`', async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys()) attacker.keep(request, await (await cache.match(request)).text())
    }
  }),
  search('`history`, `location`, `window.name`, the document', () =>
    attacker.keep(history.state, location.href, window.name, document.documentElement.outerHTML),
  ),
  search('`performance.getEntries`', () => attacker.keep(JSON.stringify(performance.getEntries()))),
  search('The global scope', () => {
    for (const name of Reflect.ownKeys(globalThis))
      if (name !== 'auth' && name !== 'attacker') attacker.keep(Object.getOwnPropertyDescriptor(globalThis, name).value)
  }),
  search('`JSON.stringify`, `structuredClone`, `String` of the manager and its state', () => {
    for (const value of [auth, auth.state]) {
      attacker.keep(JSON.stringify(value), String(value))
      try {
        attacker.keep(structuredClone(value))
      } catch {
        // It has functions, which cannot be cloned.
      }
    }
  }),
  search('Every member of the manager, its prototypes and its functions', () => {
    for (let value = auth; value; value = Object.getPrototypeOf(value)) {
      attacker.keep(value, Reflect.ownKeys(value).map(String))
      for (const key of Reflect.ownKeys(value)) {
        try {
          attacker.keep(
            auth[key],
            Function.prototype.toString.call(auth[key]),
            { ...auth[key] },
            auth[key].arguments,
            auth[key].caller,
          )
        } catch {
          // It is not a function, or a strict one.
        }
      }
    }
  }),
  search('`getAccessToken`, `peekAccessToken`, the symbols of the manager', async () => {
    for (const name of [
      'getAccessToken',
      'peekAccessToken',
      ...Object.getOwnPropertySymbols(auth).filter((name) => name !== Symbol.dispose),
    ]) {
      for (const args of [
        [],
        [{ exposeToken: true }],
        [attacker.keep],
        [(...told) => (attacker.keep(told), (...more) => (attacker.keep(more), attacker.keep))],
      ]) {
        try {
          attacker.keep(await auth[name]?.(...args))
        } catch (error) {
          attacker.keep(error, error.message, error.stack, error.cause)
        }
      }
    }
    await auth.fetch('/api/me')
  }),
  search('`exposeToken` on `Object.prototype`', async () => {
    Object.assign(Object.prototype, { exposeToken: true })
    attacker.keep(await auth.getAccessToken().catch(String))
  }),
  ...patch(
    '`exposeToken` on `Object.prototype`, when the manager is made',
    () => void Object.assign(Object.prototype, { exposeToken: true }),
    {
      before: [],
      after: [],
      async act(scene, page) {
        await scene.signIn(page)
        await page.evaluate(async () => attacker.keep(await auth.getAccessToken().catch(String)))
      },
    },
  ).slice(0, 1),
  search('The responses of `login`, `refresh`, `exchange`, `logout`', async () => {
    /** @returns {[string, RequestInit]} */
    const login = () => ['/auth/login', { method: 'POST', body: new URLSearchParams({ username: 'alice' }) }]
    for (const ask of [
      () => auth.login(...login()),
      () => auth.refresh(),
      () => auth.exchange?.(...login()),
      () => auth.logout(),
    ])
      attacker.keep(await ask())
  }),
  search('The `Response` and the `Request` of a call', async () => {
    const request = new Request('/api/me')
    const init = { headers: { 'X-One': '1' } }
    attacker.keep(await auth.fetch(request), request, await auth.fetch('/api/two', init), init)
  }),
  {
    name: 'Events, their errors and their causes',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.tab({ after: listen })
      await scene.story(page)
      await page.evaluate(() => auth.logout())
      return scene.loot(page)
    },
  },
  {
    name: 'Errors of refreshes whose malformed responses contain a token',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.tab({ after: listen })
      await scene.signIn(page)
      for (const how of [{ status: 500 }, { type: 'text/html' }, { status: 401 }]) {
        scene.server.routes['/auth/refresh'] = () => ({
          status: 200,
          type: 'application/json',
          ...how,
          body: `{"access_token":"${scene.server.tokenFor('alice')}"${how.status ? '}' : ''}`,
        })
        await page.evaluate(async () => {
          for (const ask of [
            () => auth.refresh(),
            () => auth.fetch('/api/me'),
            () => auth.fetch('http://bad url'),
            () => auth.setTokens({ accessToken: '\n' }),
          ]) {
            await ask().catch((error) =>
              attacker.keep(error, String(error), error.stack, error.cause, JSON.stringify(error)),
            )
          }
          attacker.keep(/** @type {any} */ (auth).errors)
        })
      }
      return scene.loot(page)
    },
  },
  {
    name: 'Hostile arguments: Proxies, getters and setters for `init`, `headers`, `signal`, `this`',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.signedIn()
      await page.evaluate(async () => {
        const traps = Object.fromEntries(
          Reflect.ownKeys(Reflect)
            .filter((name) => typeof Reflect[name] === 'function')
            .map((name) => [
              name,
              (...args) => {
                attacker.keep(args.slice(1))
                return Reflect[name](...args)
              },
            ]),
        )
        const hostile = (value) => new Proxy(value, traps)
        const tries = [
          () => auth.fetch('/api/me', { headers: hostile({ 'X-One': '1' }) }),
          () => auth.fetch('/api/me', hostile({ headers: hostile({ 'X-One': '1' }), method: 'POST', body: 'x' })),
          () => auth.fetch('/api/me', { headers: hostile([['X-One', '1']]) }),
          () => auth.fetch('/api/me', { signal: hostile(new AbortController().signal) }),
          () => auth.fetch(hostile(new Request('/api/me'))),
          () => auth.fetch.call(hostile({}), '/api/me'),
          () => auth.fetch({ toString: () => (attacker.keep(new Error('where').stack), '/api/me') }),
          () => auth.setTokens(hostile({})),
        ]
        for (const attempt of tries) await attempt().catch((error) => attacker.keep(error))
      })
      return scene.loot(page)
    },
  },
  {
    name: 'The Referer of an image on another server, with `referrerPolicy: unsafe-url`',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.tab()
      await scene.story(page)
      await page.evaluate(
        (src) =>
          new Promise((resolve) => {
            const image = Object.assign(new Image(), {
              referrerPolicy: 'unsafe-url',
              onload: resolve,
              onerror: resolve,
            })
            image.src = src
          }),
        // Of the same site: WebKit shows another site only the origin.
        `http://127.0.0.1:${scene.elsewhere.port}/image`,
      )
      return scene.elsewhere.loot()
    },
  },
  {
    name: 'A call after the sign-out',
    seeks: 'the previous session',
    inherent: [],
    async mount(scene) {
      const page = await scene.tab()
      await scene.story(page)
      await page.evaluate(async () => {
        await auth.logout()
        await auth.fetch('/api/after').catch(() => {})
      })
      return scene.server.users().at(-1) !== null
    },
  },
]

/** Records all events. Runs in the page. */
function listen() {
  for (const type of ['change', 'refresh', 'signout', 'refresherror', 'stepup']) {
    auth.addEventListener(type, (event) =>
      attacker.keep(
        event,
        event.answer,
        event.error,
        event.error?.message,
        event.error?.cause,
        JSON.stringify(event),
        auth.state,
      ),
    )
  }
}
