// Scripts in the page that patch the language itself.

import { patch } from '../support/rows.mjs'

/** Puts setters on `Object.prototype`. They get assignments to objects without such a member, and calls of `push`. */
function setters(how, names, more) {
  return patch(
    `\`Object.prototype\`: setters ${how}`,
    (names) => {
      for (const name of names) {
        Object.defineProperty(Object.prototype, name, {
          configurable: true,
          get: () => undefined,
          set(value) {
            attacker.keep(value)
            Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true })
          },
        })
      }
    },
    { argument: names, ...more },
  )
}

export default [
  ...patch('`Promise.prototype.then`, `catch`, `finally`', () => {
    attacker.spy(Promise.prototype, 'then', 'catch', 'finally')
    const spied = Promise.prototype.then
    // Records the value that the promise resolves to.
    Promise.prototype.then = function (work, ...more) {
      return Reflect.apply(spied, this, [
        typeof work === 'function' ? (value) => (attacker.keep(value), work(value)) : work,
        ...more,
      ])
    }
  }),
  ...patch(
    '`Promise` and its functions',
    () => attacker.spy(Promise, 'all', 'race', 'resolve', 'reject', 'allSettled'),
    { before: [], after: [] },
  ),
  ...patch('`Object.prototype.then`: gets each object that fulfils a promise', () => {
    Object.defineProperty(Object.prototype, 'then', {
      configurable: true,
      get() {
        attacker.keep(this)
        return undefined
      },
      set(value) {
        Object.defineProperty(this, 'then', { value, writable: true, configurable: true, enumerable: true })
      },
    })
  }),
  ...setters(
    'named like headers and fields',
    ['Authorization', 'authorization', 'access_token', 'accessToken', 'refresh_token', 'token'],
    { before: [], after: [] },
  ),
  ...setters('named like list indexes', ['0', '1', '2', '3', '7']),
  ...patch('`JSON.parse`, `JSON.stringify`', () => attacker.spy(JSON, 'parse', 'stringify'), { after: [] }),
  ...patch('`TextDecoder`, `TextEncoder`', () => {
    attacker.spy(globalThis, 'TextDecoder', 'TextEncoder')
    attacker.spyAll(TextDecoder.prototype)
    attacker.spyAll(TextEncoder.prototype)
  }),
  ...patch('`Array.prototype[Symbol.iterator]` and its `next`', () => {
    attacker.spy(Array.prototype, Symbol.iterator, 'values', 'entries', 'keys')
    attacker.spyAll(Object.getPrototypeOf([].values()))
  }),
  ...patch('`Array.prototype`: its methods, and `Array.isArray`', () => {
    attacker.spyAll(Array.prototype, 'keys', 'entries', 'values')
    attacker.spy(Array, 'isArray', 'from', 'of')
  }),
  ...patch(
    '`Function.prototype.call`, `apply`, `bind`',
    () => attacker.spy(Function.prototype, 'call', 'apply', 'bind'),
    { before: [], after: [] },
  ),
  ...patch('`Reflect`', () => attacker.spyAll(Reflect), { after: [] }),
  ...patch('`Object`: its functions', () => attacker.spyAll(Object, 'prototype')),
  ...patch('`String.prototype`', () => attacker.spyAll(String.prototype)),
  ...patch('`RegExp.prototype`', () => attacker.spyAll(RegExp.prototype), { before: [], after: [] }),
  ...patch(
    '`Map`, `Set`, `WeakMap`, `WeakSet`',
    () => {
      for (const of of [Map, Set, WeakMap, WeakSet]) attacker.spyAll(of.prototype)
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`Number`, `Date`, `Math`, `Symbol`',
    () => {
      for (const of of [Number, Date, Symbol]) attacker.spyAll(of, 'prototype')
      attacker.spyAll(Math)
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`Proxy`, `structuredClone`, `globalThis.String`',
    () => attacker.spy(globalThis, 'Proxy', 'structuredClone', 'String', 'Number', 'Boolean'),
    { before: [], after: [] },
  ),
  ...patch(
    '`Error` and `Error.prepareStackTrace`',
    () => {
      attacker.spy(globalThis, 'Error', 'TypeError')
      Error.prepareStackTrace = (error, sites) => {
        attacker.keep(error, error.message, error.cause)
        for (const site of sites) attacker.keep(site.getThis?.(), site.getFunction?.()?.arguments)
        return String(error)
      }
    },
    { before: [], after: [] },
  ),
]
