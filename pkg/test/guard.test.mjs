// A WebAssembly that traps is never entered again, and the trap is reported once.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { glue, rename, slim } from '../glue.mjs'
import { load } from './support/bundle.mjs'

const { guard } = await load("export { guard } from './guard.js'")

// (module (memory (export "memory") 1) (func (export "double") (param i32) (result i32) …) (func (export "trap") unreachable))
const BYTES = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 9, 2, 96, 1, 127, 1, 127, 96, 0, 0, 3, 3, 2, 0, 1, 5, 3, 1, 0, 1, 7, 26, 3, 6, 109,
  101, 109, 111, 114, 121, 2, 0, 6, 100, 111, 117, 98, 108, 101, 0, 0, 4, 116, 114, 97, 112, 0, 1, 10, 13, 2, 7, 0, 32,
  0, 65, 1, 116, 11, 3, 0, 0, 11,
])

describe('guarded exports', () => {
  it('get all their arguments: no export of the core takes more than the guard passes on', async () => {
    const module = await WebAssembly.compile(readFileSync(new URL('../dist/core.wasm', import.meta.url)))
    const imports = {}
    for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => {}
    const { exports } = await WebAssembly.instantiate(module, imports)
    const guarded = guard(exports, () => assert.fail())
    const functions = Object.keys(exports).filter((name) => typeof exports[name] === 'function')
    assert.ok(functions.length > 10)
    for (const name of functions) {
      const { length } = /** @type {Function} */ (exports[name])
      assert.ok(length <= guarded[name].length, `${name} takes ${length}`)
    }
  })

  it('do what the exports do', () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(BYTES))
    const guarded = guard(exports, () => assert.fail())
    assert.equal(guarded.double(21), 42)
    assert.equal(guarded.memory, exports.memory)
  })

  it('report a trap once, and do nothing after it', () => {
    const told = []
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(BYTES))
    const guarded = guard(exports, (cause) => {
      told.push(cause)
      return new RangeError('dead')
    })
    assert.throws(() => guarded.trap(), RangeError)
    assert.deepEqual(guarded.double(21), [])
    assert.deepEqual(guarded.trap(), [])
    assert.equal(told.length, 1)
    assert.ok(told[0] instanceof WebAssembly.RuntimeError)
  })

  it('report a trap once even if one export is called within another', () => {
    const told = []
    const guarded = guard(
      {
        outer: () => guarded.inner(),
        inner: () => {
          throw new RangeError('x')
        },
      },
      (cause) => {
        told.push(cause)
        return new TypeError('dead')
      },
    )
    assert.throws(() => guarded.outer(), TypeError)
    assert.equal(told.length, 1)
  })
})

describe('the generated glue', () => {
  it('is refused if it does not look as expected', () => {
    assert.throws(() => glue('export class Core {}'), /does not fit/)
    assert.throws(() => slim('export class Core {}'), /does not fit/)
    assert.throws(
      () => rename('"./core_bg.js": import0', { imports: [['./other.js', 'a', 'b']], exports: [] }),
      /other/,
    )
    assert.throws(() => rename('"./core_bg.js": import0; wasm.gone()', { imports: [], exports: [] }), /gone/)
  })
})
