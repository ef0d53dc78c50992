// What an app pays for a binding: nothing of the core or the framework, and not for what it does not use. Budgets are in pkg/test/sizes.test.mjs.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'vite'
import { PACKAGE } from '../e2e/support/paths.mjs'

const FOLDER = join(PACKAGE, 'frameworks')
const entries = readdirSync(FOLDER).filter((name) => name.endsWith('.js'))

for (const name of entries) {
  test(`${name} has nothing of the core, and nothing of a framework`, () => {
    const code = readFileSync(join(FOLDER, name), 'utf8')
    assert.doesNotMatch(code, /WebAssembly|__VUE|ɵ/)
  })
}

// An export that some apps have alone, and a word of what they then have not.
const ALONE = {
  'angular-http': ['tokenkeepInterceptor', 'DownloadProgress'],
  angular: ['injectAuth', 'signIn'],
  react: ['useAuth', 'onSignedOut'],
  solid: ['useAuth', 'onSignedOut'],
  svelte: ['authState', 'onSignedOut'],
  vue: ['authGuard', 'signedOut'],
}

test('every entry is asked for what it leaves out', () => assert.deepEqual(Object.keys(ALONE).map((name) => `${name}.js`).sort(), entries.sort()))

for (const [name, [used, word]] of Object.entries(ALONE)) {
  test(`${name}: an app has what it uses`, async () => {
    const file = JSON.stringify(join(FOLDER, `${name}.js`))
    assert.match(await bundled(`export * from ${file}`), new RegExp(word))
    assert.doesNotMatch(await bundled(`export { ${used} } from ${file}`), new RegExp(word))
  })
}

test('React\'s entry is a client module', () => assert.match(readFileSync(join(FOLDER, 'react.js'), 'utf8'), /^["']use client["']/))

/** What a bundler makes of a module; packages are left outside. */
async function bundled(code) {
  const [{ output }] = [await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [{
      name: 'entry',
      enforce: 'pre',
      resolveId: (id) => (id === 'entry' ? id : /^[@\w]/.test(id) && !id.startsWith('/') ? { id, external: true, moduleSideEffects: false } : null),
      load: (id) => (id === 'entry' ? code : null),
    }],
    build: { write: false, minify: false, rolldownOptions: { input: 'entry', preserveEntrySignatures: 'strict', output: { format: 'es' } }, modulePreload: false },
  })].flat()
  return output[0].code
}
