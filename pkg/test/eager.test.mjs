// The marks that make V8 compile functions together with their module (`eager.mjs`). They must not change what the functions do.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transform } from 'esbuild'
import { minify } from 'terser'
import { eager } from '../eager.mjs'

const STEP = { module: true, compress: false, mangle: false }

async function whole(text) {
  const { ast } = /** @type {any} */ (
    await minify(text, /** @type {any} */ ({ ...STEP, format: { spidermonkey: true, code: false } }))
  )
  return (await minify(eager(ast), /** @type {any} */ ({ ...STEP, parse: { spidermonkey: true } }))).code
}

/** The marked code without the definition of the mark. */
async function marked(text) {
  const [, code] = (await whole(text)).match(/^const isCompiledEarly=Symbol\.iterator;(.*)$/s)
  return code.replaceAll('isCompiledEarly', 'early')
}

/** The exports of a module. */
const load = async (text) => import(`data:text/javascript,${encodeURIComponent(await whole(text))}`)

describe('a mark', () => {
  it('is an arrow function in parentheses', async () => {
    assert.equal(await marked('const twice=n=>2*n'), 'const twice=early&&(n=>2*n);')
    assert.equal(await marked('function twice(n){return 2*n}'), 'var twice=early&&(n=>2*n);')
  })

  it('survives the minifiers of apps', async () => {
    const code = await whole('const one=()=>1;function two(n){n();return 2}export{one,two}')
    const minified = [
      (await minify(code, { module: true, compress: { passes: 3, unsafe: true } })).code,
      (await transform(code, { minify: true, format: 'esm' })).code,
    ]
    for (const text of minified) assert.equal(text.match(/&&\(\w+=>|&&\(\(\)=>/g)?.length, 2, text)
  })

  it('is missing where V8 would not see it, or where a function needs its own `this` or `arguments`', async () => {
    for (const text of [
      'const one=async()=>1;',
      'async function one(){return 1}',
      'function*one(){yield 1}',
      'function one(){return this}',
      'function one(){return arguments.length}',
      'function One(){return new.target}',
      'const of=function one(n){return n?one(n-1):1};',
    ])
      assert.equal(await marked(text), text)
  })

  it('is missing where a function is called at once, which is compiled early anyway', async () => {
    assert.equal(await marked('const one=(()=>1)()'), 'const one=(()=>1)();')
  })

  it('comes after the constants, so that functions stay together', async () => {
    assert.equal(
      await marked('const n=1;let m;go();function go(){m=n}'),
      'const n=1;let m;var go=early&&(()=>{m=n});go();',
    )
  })
})

describe('marked functions', () => {
  it('can be called before the place of their declaration, and call one another', async () => {
    const { seen } = await load(`export const seen = [isEven(10), outer(3)]
      function isEven(n) { return n === 0 || isOdd(n - 1) }
      function isOdd(n) { return n !== 0 && isEven(n - 1) }
      function outer(n) { return inner(n); function inner(n) { return n + 1 } }
      const fifth = function of(n) { return n ? n * of(n - 1) : 1 }
      seen.push(fifth(5))
      if (seen) { function outer() {} }`)
    assert.deepEqual(seen, [true, 4, 120])
  })

  it('keep the `this` and `arguments` of the function around them', async () => {
    const { seen } = await load(`function around() { return [(() => arguments.length), (() => this)].map((of) => of()) }
      export const seen = around.call('it', 1)`)
    assert.deepEqual(seen, [1, 'it'])
  })

  it('leave methods that need their object, accessors, generators and classes as they are', async () => {
    const { seen } =
      await load(`class One { #n = 1; get n() { return this.#n } take() { return super.toString.name } static make() { return new this() } }
      function* two() { yield 2 }
      const three = { n: 3, get() { return this.n }, get also() { return this.n }, of: function () { return this.n } }
      export const seen = [One.make().n, One.make().take(), ...two(), three.get(), three.also, three.of(), 'prototype' in three.get]`)
    assert.deepEqual(seen, [1, 'toString', 2, 3, 3, 3, false])
  })

  it('keep parameters: defaults, destructuring and the rest', async () => {
    const { seen } = await load(`function all({ a, b = () => 2 }, [c] = [3], ...rest) { return { a, b: b(), c, rest } }
      export const seen = all({ a: 1 }, undefined, 4, 5)`)
    assert.deepEqual(seen, { a: 1, b: 2, c: 3, rest: [4, 5] })
  })
})
