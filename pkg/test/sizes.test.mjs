// What an app pays for each entry of the package. `cargo xtask size` checks the budgets of entries that contain the WebAssembly, or wait
// for it in a worker.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url))
const { exports } = JSON.parse(read('package.json'))

// In bytes after gzip. An entry on top of the manager is small: an adapter, a binding, a preset.
const SMALL = 3000
const BUDGETS = {
  './file': 18_600,
  './testing': 4400,
  './inspector': 5000,
}

/** @type {[string, Buffer][]} */
const entries = Object.entries(exports).flatMap(([name, { default: path }]) =>
  path?.endsWith('.js') ? [[name, read(path)]] : [],
)
const HELD_ELSEWHERE = ['.', './isolated', './worker', './worker/script', './service-worker', './service-worker/script']
const isManager = (name) => name === './file' || HELD_ELSEWHERE.includes(name)

describe('the entries', () => {
  it('are all measured', () => {
    const names = entries.map(([name]) => name)
    assert.ok(names.includes('./xhr') && names.includes('./react') && names.includes('./presets/oauth2'))
    for (const name of Object.keys(BUDGETS)) assert.ok(names.includes(name), name)
  })

  for (const [name, code] of entries.filter(([name]) => !HELD_ELSEWHERE.includes(name))) {
    it(`${name} is within its budget`, () => {
      const size = gzipSync(code, { level: 9 }).length
      const budget = BUDGETS[name] ?? SMALL
      assert.ok(size <= budget, `${size} bytes; the budget is ${budget}`)
    })
  }

  for (const [name, code] of entries.filter(([name]) => !isManager(name))) {
    it(`${name} contains no WebAssembly`, () => assert.ok(!code.includes('WebAssembly')))
  }
})
