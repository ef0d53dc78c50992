// Svelte: the app of docs/frameworks/svelte.md.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { serve } from './support/node22.mjs'
import { manager, withOld } from './support/old.mjs'
import { write } from './support/page.mjs'
import { comesBack, hydration, rows } from './support/rows.mjs'
import { isQuiet, pages, pass, startSite, world } from './support/site.mjs'
import { bundle } from './support/vite.mjs'

const { it } = await world()
const plugins = [svelte({ configFile: false })]
const app = write('svelte')
const { folder, render } = await bundle(app, plugins)
const site = await startSite(pages(folder, render))
const preview = await serve(['serve.mjs'], join(app, 'kit'))
const kit = await startSite((asked, answer) => pass(asked, answer, preview))
const here = (what, body) => it(site, `Svelte: ${what}`, body)

rows(here, { path: '/client' })
hydration(here)
rows((what, body) => it(kit, `SvelteKit: ${what}`, body))
comesBack((what, body) => it(kit, `SvelteKit: ${what}`, body))

here(
  'stores call at once and runes follow, from one subscription each, which ends with the component',
  async (open) => {
    const page = await open('/bench.html')
    const seen = await page.evaluate(async () => {
      const auth = createTokenManager({ refresh: '/auth/refresh' })
      const live = new Set()
      const { subscribe } = auth
      auth.subscribe = (listener) => {
        const unsubscribe = subscribe(listener)
        live.add(unsubscribe)
        return () => (live.delete(unsubscribe), unsubscribe())
      }
      const [session, guard] = [binding.authState(auth), binding.authGuard(auth)]
      const once = [get(session) === auth.state, live.size]
      const app = mount(Reader, { target: document.body, props: { session, guard } })
      flushSync()
      const texts = () => ['runes', 'stores'].map((id) => document.getElementById(id).textContent)
      const before = [...texts(), live.size]
      await auth.setTokens({ accessToken: 'a', expiresIn: 300 })
      flushSync()
      const after = texts()
      await unmount(app)
      await new Promise((done) => setTimeout(done))
      return { once, before, after, left: live.size }
    })
    assert.deepEqual(seen, {
      once: [true, 0],
      before: ['unknown unknown', 'unknown unknown', 2],
      after: ['signed-in signed-in', 'signed-in signed-in'],
      left: 0,
    })
    isQuiet(page)
  },
)

/** @type {Record<string, [() => any, RegExp]>} */
const mistakes = {
  'no manager': [
    () => binding.authState(),
    /authState: takes the manager that createTokenManager returns, and got undefined/,
  ],
  'another object': [() => binding.authGuard({ fetch }), /authGuard: takes the manager .* and got another object/],
  'a disposed manager': [
    async () => {
      const auth = createTokenManager({ refresh: false })
      auth.dispose()
      const problem = new Promise((_, reject) =>
        addEventListener('unhandledrejection', (event) => (event.preventDefault(), reject(event.reason))),
      )
      binding.authGuard(auth).subscribe(() => {})
      await problem
    },
    /the manager was disposed. Make it once/,
  ],
}
for (const [name, [make, message]] of Object.entries(mistakes)) {
  here(`a mistake is one clear error: ${name}`, async (open) => {
    const page = await open('/bench.html')
    const error = await page.evaluate(
      `(async () => (${make})())().catch(({ name, code, message }) => ({ name, code, message }))`,
    )
    assert.deepEqual([error.name, error.code], ['TokenError', 'invalid-argument'])
    assert.match(error.message, message)
  })
}

test('an unsupported version of Svelte is named in the error', async () => {
  const { authState } = await withOld('svelte', { 'svelte/reactivity': 'export class SvelteMap extends Map {}' })
  assert.throws(() => authState(manager), { code: 'invalid-argument', message: /needs Svelte 5\.7 or newer/ })
})
