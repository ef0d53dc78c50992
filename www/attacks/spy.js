// @ts-check
// The attacks' tool: it replaces functions of the platform, and keeps their arguments and results. After each attack,
// the platform's functions are restored, so that each attack starts with a clean page.

const { apply, construct, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect
const { then } = Promise.prototype
const { slice } = ArrayBuffer.prototype
const Bytes = Uint8Array
const decoder = new TextDecoder('latin1')

/** Larger buffers are memories. They are read at the end, when everything is in them. In bytes. */
const LARGE = 60_000
const DEPTH = 5

/** @typedef {ReturnType<typeof createSpy>} Spy */

export function createSpy() {
  /** @type {Set<string>} */
  const texts = new Set()
  /** @type {Set<ArrayBuffer>} */
  const memories = new Set()
  /** @type {Promise<unknown>[]} */
  const bodies = []
  /** @type {(() => void)[]} */
  const undo = []
  const read = new WeakSet()
  /** The spy's own work calls the patched functions, too. */
  let isBusy = false

  /** @param {...unknown} values */
  function keep(...values) {
    if (isBusy) return
    isBusy = true
    const seen = new Set()
    for (let n = 0; n < values.length; n++) look(values[n], seen, DEPTH)
    isBusy = false
  }

  /** @param {unknown} value @param {Set<unknown>} seen @param {number} depth */
  function look(value, seen, depth) {
    try {
      lookInto(value, seen, depth)
    } catch {
      // A getter that does not work on this object.
    }
  }

  /** @param {any} value @param {Set<unknown>} seen @param {number} depth */
  function lookInto(value, seen, depth) {
    if (typeof value === 'string') return void texts.add(value)
    if (typeof value !== 'object' || value === null || depth < 0 || seen.has(value) || value === globalThis) return
    seen.add(value)
    const buffer = value instanceof WebAssembly.Memory || ArrayBuffer.isView(value) ? value.buffer : value
    if (buffer instanceof ArrayBuffer) {
      if (buffer.byteLength > LARGE) memories.add(buffer)
      else texts.add(decoder.decode(value instanceof WebAssembly.Memory ? buffer : value))
    } else if (value instanceof Promise) apply(then, value, [keep, () => {}])
    else if (value instanceof Headers) look([...value], seen, depth)
    else if (value instanceof Response || value instanceof Request) {
      look(value.headers, seen, depth)
      if (read.has(value) || value.bodyUsed) return
      const copy = value.clone()
      for (const one of [value, copy]) read.add(one)
      bodies.push(
        copy.text().then(
          (text) => texts.add(text),
          () => {},
        ),
      )
    } else if (!(value instanceof Node)) {
      for (const key of ownKeys(value)) look(getOwnPropertyDescriptor(value, key)?.value, seen, depth - 1)
    }
  }

  /** @param {any} original */
  function wrapped(original) {
    /** @this {unknown} @param {...unknown} args */
    function spied(...args) {
      keep(this, args)
      const answer = new.target
        ? construct(original, args, new.target === spied ? original : new.target)
        : apply(original, this, args)
      keep(answer)
      return answer
    }
    if (original.prototype) defineProperty(spied, 'prototype', { value: original.prototype })
    return Object.setPrototypeOf(spied, original)
  }

  /** Replaces a member. @param {any} object @param {PropertyKey} name @param {(member: any) => any} change */
  function replace(object, name, change) {
    const member = getOwnPropertyDescriptor(object, name)
    if (!member?.configurable) return
    const changed = { ...member }
    for (const part of /** @type {const} */ (['value', 'get', 'set']))
      if (typeof member[part] === 'function') changed[part] = change(member[part])
    defineProperty(object, name, changed)
    undo.push(() => defineProperty(object, name, member))
  }

  return {
    keep,
    replace,
    /** Spies on methods, classes, getters and setters. @param {any} object @param {...PropertyKey} names */
    patch(object, ...names) {
      for (const name of names) replace(object, name, wrapped)
    },
    /** All methods but the constructor. @param {any} object */
    patchAll(object) {
      for (const name of ownKeys(object)) if (name !== 'constructor') replace(object, name, wrapped)
    },
    /** Restores everything. */
    leave() {
      while (undo.length) undo.pop()?.()
    },
    /** Every text and memory that was seen. */
    async loot() {
      await Promise.all(bodies)
      const dumps = [...memories]
        .filter(({ byteLength }) => byteLength)
        .map((memory) => decoder.decode(new Bytes(apply(slice, memory, [0]))))
      return [...texts, ...dumps]
    },
  }
}
