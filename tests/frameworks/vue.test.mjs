// Vue: the app of docs/frameworks/vue.md.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import vue from '@vitejs/plugin-vue'
import { manager, withOld } from './support/old.mjs'
import { write } from './support/page.mjs'
import { comesBack, hydration, rows } from './support/rows.mjs'
import { pages, startSite, world } from './support/site.mjs'
import { bundle } from './support/vite.mjs'

const { it } = await world()
const { folder, render } = await bundle(write('vue'), [vue()])
const site = await startSite(pages(folder, render))
const routed = await startSite(pages(folder, undefined, 'routed.html'))

rows((what, body) => it(site, `Vue: ${what}`, body), { path: '/client' })
hydration((what, body) => it(site, `Vue: ${what}`, body))
rows((what, body) => it(routed, `vue-router: ${what}`, body))
comesBack((what, body) => it(routed, `vue-router: ${what}`, body))

it(routed, 'vue-router: an outage without a page for it rejects the navigation', async (open, server) => {
  await server.faults({ refresh: 'down' })
  const page = await open('/bench.html')
  const outcome = await page.evaluate(async () => {
    const guard = binding.authGuard(createTokenManager({ refresh: '/auth/refresh' }), { signIn: () => '/sign-in' })
    return [await guard({ meta: {} }), await guard({ meta: { requiresAuth: true } }).catch(({ code }) => code)]
  })
  assert.deepEqual(outcome, [true, 'bad-status'])
})

it(site, 'an unmounted app has ended its subscriptions', async (open) => {
  const page = await open('/bench.html')
  const counts = await page.evaluate(() => {
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
    const { unmount } = mount({ auth, setup: () => (binding.useAuth(), () => h(binding.RequireAuth)) })
    const shown = live.size
    unmount()
    return [shown, live.size]
  })
  assert.deepEqual(counts, [3, 0])
})

it(site, 'a second copy of the package finds the manager', async (open) => {
  const page = await open('/bench.html')
  const isSame = await page.evaluate(() => {
    let found
    const auth = createTokenManager({ refresh: false })
    mount({ auth, from: copy, setup: () => ((found = binding.useAuth().auth), () => '') })
    return found === auth
  })
  assert.ok(isSame)
})

/** @type {Record<string, [() => any, RegExp]>} */
const mistakes = {
  'no plugin': [
    () => mount({ from: null, setup: () => binding.useAuth() }),
    /there is no manager here. Call app\.use\(createAuth\(auth\)\)/,
  ],
  'no manager': [() => mount({}), /createAuth: takes the manager that createTokenManager returns, and got undefined/],
  'outside of setup': [
    () =>
      mount({
        auth: createTokenManager({ refresh: false }),
        setup: () => void Promise.resolve().then(() => binding.useAuth()),
      }),
    /call it in setup/,
  ],
  'a disposed manager that was never asked': [
    () => {
      const auth = createTokenManager({ refresh: false })
      auth.dispose()
      return mount({ auth, setup: () => () => h(binding.RequireAuth, null, { outage: () => 'an outage' }) })
    },
    /the manager was disposed. Make it once/,
  ],
  'a disposed manager that was signed in': [
    async () => {
      const auth = createTokenManager({ refresh: false })
      await auth.setTokens({ accessToken: 'a' })
      auth.dispose()
      return mount({ auth, render: () => '' })
    },
    /the manager was disposed. Make it once/,
  ],
}
for (const [name, [make, message]] of Object.entries(mistakes)) {
  it(site, `a mistake is one clear error: ${name}`, async (open) => {
    const page = await open('/bench.html')
    await page.evaluate(`(async () => { globalThis.mounted = await (${make})() })()`)
    await page.waitForFunction(() => mounted.errors.length)
    const errors = await page.evaluate(() => mounted.errors)
    assert.deepEqual(
      errors.map(({ name, code }) => [name, code]),
      [['TokenError', 'invalid-argument']],
    )
    assert.match(errors[0].message, message)
  })
}

test('an unsupported version of Vue is named in the error', async () => {
  const names = [
    'computed',
    'getCurrentInstance',
    'hasInjectionContext',
    'inject',
    'onMounted',
    'onUnmounted',
    'shallowRef',
  ]
  const { createAuth } = await withOld('vue', {
    vue: names.map((name) => `export const ${name} = () => {}`).join('\n'),
  })
  assert.throws(() => createAuth(manager).install({ version: '2.7.16' }), {
    code: 'invalid-argument',
    message: /needs Vue 3\.5 or newer; this is Vue 2\.7\.16/,
  })
})
