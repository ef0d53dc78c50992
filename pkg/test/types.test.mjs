// The declarations of the built package say what users may write: test/types/use.ts compiles, and its mistakes do not.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'

const pkg = fileURLToPath(new URL('..', import.meta.url))
const STRICT = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--verbatimModuleSyntax',
  '--skipLibCheck',
  'false',
  '--ignoreConfig',
  '--types',
  '',
  '--target',
  'es2022',
]

function tsc(...options) {
  try {
    execFileSync(`${pkg}node_modules/.bin/tsc`, [...STRICT, ...options, 'test/types/use.ts'], {
      cwd: pkg,
      encoding: 'utf8',
      timeout: 60_000,
    })
  } catch (error) {
    assert.fail(error.stdout || error.message)
  }
}

describe('the types', () => {
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    it(`hold with module resolution ${resolution}`, () => tsc('--module', module, '--moduleResolution', resolution))
  }

  it('bring the declarations they need, if the project has older ones', () => {
    tsc('--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2020,dom')
  })
})
