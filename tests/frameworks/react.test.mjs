// React, the current version and the one before: the app of docs/frameworks/react.md.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import react from '@vitejs/plugin-react'
import { develop, edit } from './support/dev.mjs'
import { manager, withOld } from './support/old.mjs'
import { write } from './support/page.mjs'
import { enter, hydration, rows } from './support/rows.mjs'
import { isQuiet, pages, says, startSite, world } from './support/site.mjs'
import { bundle } from './support/vite.mjs'

const { it } = await world()
const react18 = await built('react-18')
const react19 = await built('.')
const root = write('react', { name: 'react-dev' })
const dev = await develop(root, [react()])

async function built(home) {
  const { folder, render } = await bundle(write('react', { home }), [react()])
  return startSite(pages(folder, render))
}

for (const [name, site] of [
  ['React 18', react18],
  ['React 19', react19],
]) {
  const here = (what, body) => it(site, `${name}: ${what}`, body)
  rows(here, { path: '/client' })
  hydration(here)
}
parts((what, body) => it(react19, what, body))

/** Components that the tests assemble, in StrictMode. */
function parts(it) {
  it('every unmounted component has ended its subscriptions', async (open) => {
    const page = await open('/bench.html')
    const counts = await page.evaluate(() => {
      const { AuthProvider, RequireAuth, useAuth } = binding
      const manager = createTokenManager({ refresh: '/auth/refresh' })
      const live = new Set()
      const { subscribe } = manager
      manager.subscribe = (listener) => {
        const unsubscribe = subscribe(listener)
        live.add(unsubscribe)
        return () => (live.delete(unsubscribe), unsubscribe())
      }
      for (const [name, change] of [
        ['addEventListener', 'add'],
        ['removeEventListener', 'delete'],
      ]) {
        const real = manager[name]
        manager[name] = (type, listener) => (live[change](listener), real(type, listener))
      }
      const Reader = () => useAuth().state.status
      const { unmount } = mount(() => h(AuthProvider, { auth: manager }, h(Reader), h(RequireAuth, {}, 'private')))
      const shown = live.size
      unmount()
      return [shown, live.size]
    })
    assert.deepEqual(counts, [3, 0])
  })

  it('a component with a selector renders only when its selection changes, even if it creates objects', async (open) => {
    const page = await open('/bench.html')
    const renders = await page.evaluate(async () => {
      const { AuthProvider, useAuthState } = binding
      const manager = createTokenManager({ refresh: '/auth/refresh' })
      const payload = (n) => btoa(JSON.stringify({ sub: 'alice', n })).replace(/=+$/, '')
      const setTokens = (n) => manager.setTokens({ accessToken: `e30.${payload(n)}.x`, expiresIn: 300 })
      await setTokens(0)
      const seen = { name: [], object: [] }
      const Name = () => void seen.name.push(useAuthState((state) => state.claims.sub))
      const Object = () => void seen.object.push(useAuthState((state) => ({ n: state.claims.n })).n)
      mount(() => h(AuthProvider, { auth: manager }, h(Name), h(Object)))
      const before = seen.name.length
      await setTokens(1)
      await new Promise((done) => setTimeout(done))
      return [seen.name.length - before, seen.object.at(-1)]
    })
    assert.deepEqual(renders, [0, 1])
  })

  /** @type {Record<string, [() => any, RegExp]>} */
  const mistakes = {
    'no provider': [() => h(() => binding.useAuth().state.status), /there is no manager here.*<AuthProvider/],
    'no manager': [
      () => h(binding.AuthProvider, {}),
      /AuthProvider: takes the manager that createTokenManager returns, and got undefined/,
    ],
    'another object': [() => h(binding.AuthProvider, { auth: { fetch } }), /got another object/],
    'two copies': [
      () =>
        h(
          copy.AuthProvider,
          { auth: createTokenManager({ refresh: false }) },
          h(() => binding.useAuth().state.status),
        ),
      /two copies of the package/,
    ],
    'a disposed manager that was never asked': [
      () => {
        globalThis.gone ??= createTokenManager({ refresh: false })
        gone.dispose()
        return h(binding.AuthProvider, { auth: gone }, h(binding.RequireAuth, { outage: () => 'an outage' }))
      },
      /the manager was disposed. Make it once/,
    ],
    'a disposed manager that was signed in': [
      () => {
        if (!globalThis.over) {
          globalThis.over = createTokenManager({ refresh: false })
          over.setTokens({ accessToken: 'a' }).then(() => over.dispose())
        }
        if (over.state.status === 'unknown')
          throw new Promise((done) => over.addEventListener('change', () => setTimeout(done)))
        return h(binding.AuthProvider, { auth: over })
      },
      /the manager was disposed. Make it once/,
    ],
  }
  for (const [name, [make, message]] of Object.entries(mistakes)) {
    it(`a mistake is one clear error: ${name}`, async (open) => {
      const page = await open('/bench.html')
      await page.evaluate(`void (globalThis.mounted = mount(() => h(React.Suspense, { fallback: null }, h(${make}))))`)
      await page.waitForFunction(() => mounted.errors.length)
      const errors = await page.evaluate(() => mounted.errors)
      assert.deepEqual(
        errors.map(({ name, code }) => [name, code]),
        [['TokenError', 'invalid-argument']],
      )
      assert.match(errors[0].message, message)
    })
  }

  it('an outage without a message of its own reaches the error boundary', async (open, server) => {
    await server.faults({ refresh: 'down' })
    const page = await open('/bench.html')
    await page.evaluate(() => {
      const auth = createTokenManager({ refresh: '/auth/refresh' })
      globalThis.mounted = mount(() => h(binding.AuthProvider, { auth }, h(binding.RequireAuth, {}, 'private')))
    })
    await page.waitForFunction(() => mounted.errors.length)
    assert.deepEqual(await page.evaluate(() => mounted.errors.map(({ code }) => code)), ['bad-status'])
  })

  it('the reason of a sign-out is reported, and there is none if nobody was signed in', async (open) => {
    const page = await open('/bench.html')
    const told = await page.evaluate(async () => {
      const told = []
      const auth = createTokenManager({ refresh: '/auth/refresh' })
      const next = () => new Promise((done) => (globalThis.done = done))
      let heard = next()
      const onSignedOut = (reason) => (told.push(String(reason)), done())
      mount(() => h(binding.AuthProvider, { auth }, h(binding.RequireAuth, { onSignedOut }, 'private')))
      await heard
      heard = next()
      await auth.login('/auth/login', { body: new URLSearchParams({ username: 'alice', password: 'wonderland' }) })
      // React shows it first.
      await new Promise((done) => setTimeout(done))
      await auth.logout('/auth/logout')
      await heard
      return told
    })
    assert.deepEqual(told, ['undefined', 'logout'])
  })
}

test('an unsupported version of React is named in the error', async () => {
  const { AuthProvider } = await withOld('react', {
    react: `export const version = '17.0.2'; export const createContext = () => ({})`,
  })
  assert.throws(() => AuthProvider({ auth: manager }), {
    code: 'invalid-argument',
    message: /needs React 18 or newer; this is React 17\.0\.2/,
  })
})

it(dev, 'fast refresh: edited code is replaced, with one manager and one session', async (open, server) => {
  const page = await enter(open)
  await page.evaluate(() => (globalThis.stays = true))
  const before = await server.refreshes()
  edit(root, 'src/Home.tsx', 'signed in as', 'here is')
  await says(page, 'here is alice')
  edit(root, 'src/auth.ts', 'sub: string', 'sub: string; name?: string')
  const again = await page.waitForFunction(
    () => performance.getEntriesByType('resource').find(({ name }) => /\/src\/auth\.ts\?t=/.test(name))?.name,
  )
  assert.ok(await page.evaluate(async (url) => (await import(url)).auth === globalThis.auth, await again.jsonValue()))
  edit(root, 'src/Home.tsx', 'here is', 'this is')
  await says(page, 'this is alice')
  assert.equal(await page.evaluate(() => globalThis.stays), true)
  assert.equal(await server.refreshes(), before)
  await page.evaluate(() => auth.logout())
  await page.locator('[name=username]').waitFor()
  isQuiet(page)
})
