// What an app pays for a binding: nothing of the core or the framework, and nothing for unused exports. Budgets are in
// pkg/test/sizes.test.mjs.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'vite'
import { PACKAGE } from '../e2e/support/paths.mjs'

const FOLDER = join(PACKAGE, 'frameworks')
const entries = readdirSync(FOLDER).filter((name) => name.endsWith('.js'))

for (const name of entries) {
  test(`${name} contains nothing of the core, and nothing of a framework`, () => {
    const code = readFileSync(join(FOLDER, name), 'utf8')
    assert.doesNotMatch(code, /WebAssembly|__VUE|ɵ/)
  })
}

// An export that some apps use alone, and a word from code that such an app must not contain.
const ALONE = {
  'angular-http': ['tokenkeepInterceptor', 'DownloadProgress'],
  angular: ['injectAuth', 'signIn'],
  react: ['useAuth', 'onSignedOut'],
  solid: ['useAuth', 'onSignedOut'],
  svelte: ['authState', 'onSignedOut'],
  vue: ['authGuard', 'signedOut'],
}

test('every entry has an entry in ALONE', () =>
  assert.deepEqual(
    Object.keys(ALONE)
      .map((name) => `${name}.js`)
      .sort(),
    entries.sort(),
  ))

for (const [name, [used, word]] of Object.entries(ALONE)) {
  test(`${name}: an app contains only what it uses`, async () => {
    const file = JSON.stringify(join(FOLDER, `${name}.js`))
    assert.match(await bundled(`export * from ${file}`), new RegExp(word))
    assert.doesNotMatch(await bundled(`export { ${used} } from ${file}`), new RegExp(word))
  })
}

test("React's entry is a client module", () =>
  assert.match(readFileSync(join(FOLDER, 'react.js'), 'utf8'), /^["']use client["']/))

/** The bundle of a module, without packages. */
async function bundled(code) {
  const [{ output }] = [
    await build({
      configFile: false,
      logLevel: 'silent',
      plugins: [
        {
          name: 'entry',
          enforce: 'pre',
          resolveId: (id) =>
            id === 'entry'
              ? id
              : /^[@\w]/.test(id) && !id.startsWith('/')
                ? { id, external: true, moduleSideEffects: false }
                : null,
          load: (id) => (id === 'entry' ? code : null),
        },
      ],
      build: {
        write: false,
        minify: false,
        rolldownOptions: { input: 'entry', preserveEntrySignatures: 'strict', output: { format: 'es' } },
        modulePreload: false,
      },
    }),
  ].flat()
  return output[0].code
}
