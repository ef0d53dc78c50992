// Scripts of the same origin that use the session, the channel between tabs, locks, frames, other tabs and a service
// worker. Most patch nothing.

import { ACCESS, EVERYWHERE, REFRESH, UNSERVED } from '../support/rows.mjs'

const MEMORY = { refreshToken: { json: 'refresh_token' } }

/** The attacker's service worker: it forwards the requests that it sees, and reports them. */
export const SERVICE_WORKER = `
  const seen = []
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('fetch', (event) => {
    seen.push(JSON.stringify([...event.request.headers]))
    event.respondWith(fetch(event.request).then(async (answer) => (seen.push(await answer.clone().text()), answer)))
  })
  addEventListener('message', ({ ports }) => ports[0].postMessage(seen))
`

/** Firefox shows no request with `keepalive` to a service worker. A manager in a page refreshes with it. */
const KEPT_ALIVE = { firefox: EVERYWHERE }

const alone = (name, seeks, inherent, mount, more) => ({ name, seeks, inherent, mount, ...more })

export default [
  alone(
    "`fetch('/auth/refresh', { credentials: 'include' })`, called by the attacker",
    ACCESS,
    UNSERVED,
    async (scene) => {
      const page = await scene.signedIn()
      return page.evaluate(() =>
        fetch('/auth/refresh', { method: 'POST', credentials: 'include' }).then((answer) => answer.text(), String),
      )
    },
  ),
  alone(
    "`fetch('/auth/refresh', { credentials: 'include', keepalive: true })`, called by the attacker",
    ACCESS,
    UNSERVED,
    async (scene) => {
      const page = await scene.signedIn()
      return page.evaluate(() =>
        fetch('/auth/refresh', { method: 'POST', credentials: 'include', keepalive: true }).then(
          (answer) => answer.text(),
          String,
        ),
      )
    },
    { differs: KEPT_ALIVE },
  ),
  alone('`auth.fetch` of the refresh endpoint', ACCESS, ['page'], async (scene) => {
    const page = await scene.signedIn()
    return page.evaluate(() =>
      auth.fetch('/auth/refresh', { method: 'POST', credentials: 'include' }).then((answer) => answer.text(), String),
    )
  }),
  alone('`auth.fetch` of the refresh endpoint, with its path spelled differently', ACCESS, ['page'], async (scene) => {
    const { routes } = scene.server
    const page = await scene.signedIn()
    const ways = [
      '/auth/%72efresh',
      '/AUTH/refresh',
      '//auth/refresh',
      '/auth//refresh',
      '/auth/refresh/',
      '/auth/refresh;a=b',
    ]
    for (const way of ways) routes[way] = routes['/auth/refresh']
    return page.evaluate(
      (ways) =>
        Promise.all(
          ways.map((way) =>
            auth
              .fetch(location.origin + way, { method: 'POST', credentials: 'include' })
              .then((answer) => answer.text(), String),
          ),
        ),
      ways,
    )
  }),
  alone('`auth.exchange` with another server', ACCESS, ['page'], async (scene) => {
    const page = await scene.signedIn({ options: { apis: ['/api'] } })
    await page.evaluate(
      (url) => auth.exchange(url, { credentials: 'omit' }).catch(() => {}),
      `${scene.elsewhere.origin}/x`,
    )
    return scene.elsewhere.loot()
  }),
  alone("`auth.exchange` with another path of the refresh endpoint's server", ACCESS, EVERYWHERE, async (scene) => {
    scene.server.routes['/outside'] = () => ({ body: 'outside' })
    const page = await scene.signedIn({ options: { apis: ['/api'] } })
    await page.evaluate(() => auth.exchange('/outside').catch(() => {}))
    return scene.server.at('/outside').map(({ headers }) => headers.authorization)
  }),
  alone('A form in a hidden frame sends the refresh request', ACCESS, EVERYWHERE, async (scene) => {
    const page = await scene.signedIn()
    return page.evaluate(
      () =>
        new Promise((resolve) => {
          const frame = Object.assign(document.createElement('iframe'), { name: 'silent', hidden: true })
          const form = Object.assign(document.createElement('form'), {
            action: '/auth/refresh',
            method: 'POST',
            target: 'silent',
          })
          document.body.append(frame, form)
          frame.onload = () =>
            frame.contentWindow.location.href !== 'about:blank' &&
            resolve(frame.contentDocument.documentElement.textContent)
          form.submit()
        }),
    )
  }),
  alone(
    'The refresh cookie is spent twice, so that the server ends the session',
    'a second use of the refresh token',
    UNSERVED,
    async (scene) => {
      const page = await scene.signedIn()
      scene.server.routes['/auth/refresh'] = hold(scene.server.routes['/auth/refresh'], 2)
      await page.evaluate(() =>
        Promise.allSettled([1, 2].map(() => fetch('/auth/refresh', { method: 'POST', credentials: 'include' }))),
      )
      return scene.server.reuses > 0
    },
  ),
  alone('Calls of the API with `auth.fetch`', 'what the API tells the user', EVERYWHERE, async (scene) => {
    const page = await scene.signedIn()
    return page
      .evaluate(() => auth.fetch('/api/me').then((answer) => answer.json()))
      .then(({ user }) => user === 'alice')
  }),
  alone('`auth.logout()`', 'the user is signed out', EVERYWHERE, async (scene) => {
    const page = await scene.signedIn()
    await page.evaluate(() => auth.logout())
    return scene.server.sessionsOf('alice') === 0
  }),
  alone(
    "`auth.setTokens` with a token of the attacker's account",
    "the user works in the attacker's account",
    EVERYWHERE,
    async (scene) => {
      const page = await scene.signedIn()
      await page.evaluate(
        (accessToken) => auth.setTokens({ accessToken, expiresIn: 300 }),
        scene.server.tokenFor('mallory'),
      )
      await page.evaluate(() => auth.fetch('/api/me'))
      return scene.server.users().at(-1) === 'mallory'
    },
  ),
  alone(
    'A frame of the same origin makes a manager with the same options and `exposeToken`',
    ACCESS,
    UNSERVED,
    async (scene) => {
      const page = await scene.signedIn()
      return page.evaluate(
        async ([module]) => {
          const frame = document.createElement('iframe')
          frame.src = '/bare.html'
          await new Promise((resolve) => {
            frame.onload = resolve
            document.body.append(frame)
          })
          return /** @type {any} */ (frame.contentWindow).eval(`(async () => {
        const { createTokenManager } = await import('${module}')
        const auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', exposeToken: true })
        await auth.fetch('/api/me').catch(() => {})
        return auth.getAccessToken().catch(String)
      })()`)
        },
        [scene.home.name === 'careless' ? scene.home.module : '/tokenkeep/index.js'],
      )
    },
    { differs: KEPT_ALIVE },
  ),
  alone(
    'Another tab of the same origin, with its own manager and a patched `fetch`',
    ACCESS,
    UNSERVED,
    async (scene) => {
      await scene.signedIn()
      const other = await scene.blank()
      await other.evaluate(async (module) => {
        attacker.spy(globalThis, 'fetch')
        const { createTokenManager } = await import(module)
        const auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout' })
        await auth.fetch('/api/me').catch(() => {})
      }, '/tokenkeep/index.js')
      return scene.loot(other)
    },
    { differs: KEPT_ALIVE },
  ),
  alone("An opener of the same origin that patches `fetch` in the app's tab", ACCESS, ['page'], async (scene) => {
    const opener = await scene.blank()
    const page = await scene.opened(opener)
    await opener.evaluate(() => attacker.spy(opened, 'fetch'))
    await scene.story(page)
    return scene.loot(opener)
  }),
  alone("The attacker's service worker sees the calls", ACCESS, UNSERVED, async (scene) => {
    scene.server.routes['/attacker-sw.js'] = () => ({ type: 'text/javascript', body: SERVICE_WORKER })
    const spy = await scene.blank()
    await spy.evaluate(async () => {
      await navigator.serviceWorker.register('/attacker-sw.js')
      await navigator.serviceWorker.ready
    })
    await scene.story(await scene.tab())
    return spy.evaluate(async () => {
      const { active } = await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      return new Promise((resolve) => {
        port1.onmessage = ({ data }) => resolve(data)
        active.postMessage('', [port2])
        // The service worker may have been replaced.
        setTimeout(resolve, 3000, [])
      })
    })
  }),
  alone('A listener on the channel between tabs', ACCESS, ['page'], (scene) => listened(scene)),
  alone("A listener on the channel between tabs, with `tabs: 'lock'`", ACCESS, [], (scene) =>
    listened(scene, { tabs: 'lock' }),
  ),
  alone(
    'A listener on the channel between tabs, with the refresh token in memory, which is sealed for another tab',
    REFRESH,
    [],
    async (scene) => {
      const listener = await listens(scene, MEMORY)
      const page = await scene.signedIn({ options: MEMORY })
      const other = await scene.tab({ options: MEMORY })
      await other.evaluate(() => auth.fetch('/api/me'))
      // If tabs pass on no tokens, the other tab has none.
      for (const tab of [page, other]) await tab.evaluate(() => auth.refresh().catch(() => {}))
      return scene.loot(listener)
    },
    { server: { isInMemory: true } },
  ),
  alone(
    'A script pretends to be a tab, and the refresh token is sealed for it',
    REFRESH,
    ['page'],
    async (scene) => {
      const page = await scene.signedIn({ options: MEMORY })
      const other = await scene.blank()
      await other.evaluate(async (options) => {
        attacker.spy(globalThis, 'fetch')
        const { createTokenManager } = await import('/tokenkeep/index.js')
        globalThis.mine = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', ...options })
        await mine.fetch('/api/me')
      }, MEMORY)
      // The next refresh token is sealed for all known tabs.
      await page.evaluate(() => auth.refresh())
      await other.evaluate(() => mine.refresh().catch(() => {}))
      return scene.loot(other)
    },
    { server: { isInMemory: true } },
  ),
  alone(
    "A forged message from another tab: a sign-in with a token of the attacker's account",
    "the user works in the attacker's account",
    ['page'],
    async (scene) => {
      const page = await forged(scene, {
        kind: 'entered',
        subject: '1',
        accessToken: scene.server.tokenFor('mallory'),
        life: 300_000,
      })
      await page.evaluate(() => auth.fetch('/api/me'))
      return scene.server.users().at(-1) === 'mallory'
    },
  ),
  alone('A forged message from another tab: a sign-out', 'the user is signed out', EVERYWHERE, async (scene) => {
    const page = await forged(scene, { kind: 'left' })
    return page.evaluate(() => auth.state.status === 'signed-out')
  }),
  alone('A script holds the refresh lock forever', 'nobody can refresh', [], async (scene) => {
    const holder = await scene.blank()
    await holder.evaluate(
      (name) =>
        new Promise((granted) => {
          void navigator.locks.request(name, () => new Promise(granted))
        }),
      `tokenkeep ${scene.server.origin}/auth/refresh`,
    )
    const page = await scene.signedIn()
    return page.evaluate(
      (ms) => Promise.race([auth.refresh().then(() => false), new Promise((resolve) => setTimeout(resolve, ms, true))]),
      25_000,
    )
  }),
]

/** The messages that a listener on the channel hears during a session. */
async function listened(scene, options) {
  const listener = await listens(scene, options)
  const page = await scene.tab({ options })
  await scene.story(page)
  return scene.loot(listener)
}

/** A tab of the attacker that records all messages on the channel. */
async function listens(scene, options) {
  const name = await scene.channel(options)
  const listener = await scene.blank()
  await listener.evaluate((name) => {
    globalThis.channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => attacker.keep(data)
  }, name)
  return listener
}

/** A signed-in tab that has received a message from the attacker. */
async function forged(scene, message) {
  const name = await scene.channel()
  const page = await scene.signedIn()
  const forger = await scene.blank()
  const changed = page.evaluate(
    () =>
      new Promise((resolve) => {
        const { state } = auth
        auth.subscribe(() => auth.state !== state && resolve())
        setTimeout(resolve, 5000)
      }),
  )
  await forger.evaluate(
    ([name, message]) => {
      const now = Date.now() + 1000
      new BroadcastChannel(name).postMessage({
        tokenkeep: 2,
        stamp: now,
        session: now,
        asked: now,
        at: Date.now(),
        ...message,
      })
    },
    [name, message],
  )
  await changed
  return page
}

/** Holds responses until so many requests have arrived. */
function hold(route, count) {
  const waiting = []
  return async (arrived) => {
    await new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length === count) for (const go of waiting) go()
    })
    return route(arrived)
  }
}
