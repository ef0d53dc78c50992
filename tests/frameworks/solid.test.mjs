// Solid: the app of docs/frameworks/solid.md.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import solid from 'vite-plugin-solid'
import { manager, withOld } from './support/old.mjs'
import { write } from './support/page.mjs'
import { hydration, rows } from './support/rows.mjs'
import { pages, startSite, world } from './support/site.mjs'
import { bundle } from './support/vite.mjs'

const { it } = await world()
const { folder, render } = await bundle(write('solid'), [solid({ ssr: true })])
const site = await startSite(pages(folder, render))
const here = (what, body) => it(site, `Solid: ${what}`, body)

rows(here, { path: '/client' })
hydration(here)

here('all that was mounted and is gone has ended its subscriptions', async (open) => {
  const page = await open('/bench.html')
  const counts = await page.evaluate(() => {
    const { AuthProvider, RequireAuth, useAuth } = binding
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    const live = new Set()
    const { subscribe } = auth
    auth.subscribe = (listener) => {
      const unsubscribe = subscribe(listener)
      live.add(unsubscribe)
      return () => (live.delete(unsubscribe), unsubscribe())
    }
    for (const [name, change] of [
      ['addEventListener', 'add'],
      ['removeEventListener', 'delete'],
    ]) {
      const real = auth[name]
      auth[name] = (type, listener) => (live[change](listener), real(type, listener))
    }
    const { unmount } = mount(() =>
      h(AuthProvider, { auth }, () => [h(() => useAuth().state().status), h(RequireAuth, {}, () => 'private')]),
    )
    const shown = live.size
    unmount()
    return [shown, live.size]
  })
  assert.deepEqual(counts, [3, 0])
})

here("an outage without words for it is the error boundary's", async (open, server) => {
  await server.faults({ refresh: 'down' })
  const page = await open('/bench.html')
  await page.evaluate(() => {
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    globalThis.mounted = mount(() =>
      h(binding.AuthProvider, { auth }, () => h(binding.RequireAuth, {}, () => 'private')),
    )
  })
  await page.waitForFunction(() => mounted.errors.length)
  assert.deepEqual(await page.evaluate(() => mounted.errors.map(({ code }) => code)), ['bad-status'])
})

/** @type {Record<string, [() => any, RegExp]>} */
const mistakes = {
  'no provider': [() => binding.useAuth(), /there is no manager here.*<AuthProvider/],
  'no manager': [
    () => h(binding.AuthProvider),
    /AuthProvider: takes the manager that createTokenManager returns, and got undefined/,
  ],
  'two copies': [
    () =>
      h(copy.AuthProvider, { auth: createTokenManager({ refresh: false }) }, () => binding.useAuth().state().status),
    /two copies of the package/,
  ],
  'a disposed manager that was never asked': [
    () => {
      const auth = createTokenManager({ refresh: false })
      auth.dispose()
      return h(binding.AuthProvider, { auth }, () =>
        h(binding.RequireAuth, { outage: () => 'an outage' }, () => 'private'),
      )
    },
    /the manager was disposed. Make it once/,
  ],
  'a disposed manager that was signed in': [
    () => {
      over.dispose()
      return h(binding.AuthProvider, { auth: over })
    },
    /the manager was disposed. Make it once/,
  ],
}
for (const [name, [make, message]] of Object.entries(mistakes)) {
  here(`a mistake is one clear error: ${name}`, async (open) => {
    const page = await open('/bench.html')
    await page.evaluate(async () => {
      globalThis.over = createTokenManager({ refresh: false })
      await over.setTokens({ accessToken: 'a' })
    })
    await page.evaluate(`void (globalThis.mounted = mount(${make}))`)
    await page.waitForFunction(() => mounted.errors.length)
    const errors = await page.evaluate(() => mounted.errors)
    assert.deepEqual(
      errors.map(({ name, code }) => [name, code]),
      [['TokenError', 'invalid-argument']],
    )
    assert.match(errors[0].message, message)
  })
}

test('an unsupported version of Solid is named in the error', async () => {
  const { AuthProvider } = await withOld('solid', { 'solid-js': 'export const createContext = () => ({})' })
  assert.throws(() => AuthProvider({ auth: manager }), {
    code: 'invalid-argument',
    message: /needs Solid 1\.8 or a newer 1\.x/,
  })
})
