// The tools of the attacker's scripts in the page. Loaded before everything else, with the platform's own functions.

globalThis.attacker = (() => {
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, ownKeys, getPrototypeOf, setPrototypeOf } =
    Reflect
  const { then } = Promise.prototype
  const { slice } = ArrayBuffer.prototype
  const texts = new Set()
  const memories = new Set()
  const pending = []
  const read = new WeakSet()
  /** Objects that may receive a token after they were seen. */
  const objects = new Set()
  // Collecting calls functions that are spied on, too.
  let isBusy = false

  /** The least size of a memory, in bytes, and the most characters that are examined of a text. */
  const LARGE = 60_000
  const DEEP = 5
  const MOST_OBJECTS = 20_000

  function alone(work) {
    if (isBusy) return
    isBusy = true
    work()
    isBusy = false
  }

  const latin1 = (bytes) => {
    let text = ''
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i])
    return text
  }

  /** Collects all texts in a value. `seen` lists the objects already examined. Unreadable parts are skipped. */
  function look(value, seen, depth = DEEP) {
    try {
      lookInto(value, seen, depth)
    } catch {
      // A getter that throws, ours or the platform's.
    }
  }

  function lookInto(value, seen, depth) {
    if (typeof value === 'string') return void (value.length > 5 && texts.add(value))
    if (typeof value === 'number') return void texts.add(String.fromCharCode(value))
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || depth < 0) return
    if (value === globalThis || seen.has(value) || seen.size > MOST_OBJECTS) return
    seen.add(value)
    const buffer = value instanceof WebAssembly.Memory || ArrayBuffer.isView(value) ? value.buffer : value
    if (buffer instanceof ArrayBuffer) {
      if (buffer.byteLength > LARGE) return void memories.add(value)
      return void texts.add(
        latin1(
          ArrayBuffer.isView(value)
            ? new Uint8Array(buffer, value.byteOffset, value.byteLength)
            : new Uint8Array(buffer),
        ),
      )
    }
    if (value instanceof Promise) return void apply(then, value, [(value) => keep(value), () => {}])
    if (typeof value === 'object' && objects.size < MOST_OBJECTS) objects.add(value)
    if (value instanceof Headers) return void look([...value], seen, 2)
    if (value instanceof Response || value instanceof Request) {
      look(value.headers, seen)
      look(value.url, seen)
      if (read.has(value)) return
      read.add(value)
      if (value.bodyUsed) return
      const copy = value.clone()
      read.add(copy)
      pending.push(
        copy.text().then(
          (text) => texts.add(text),
          () => {},
        ),
      )
      return
    }
    if (value instanceof Node) return
    if (value instanceof Map || value instanceof Set) for (const member of value) look(member, seen, depth - 1)
    if (value instanceof URL) look(value.href, seen)
    for (const key of ownKeys(value)) {
      const { value: member } = getOwnPropertyDescriptor(value, key)
      look(member, seen, depth - 1)
      if (typeof key === 'string') look(key, seen)
    }
    if (typeof value === 'function') return
    // The platform objects' own getters.
    const prototype = getPrototypeOf(value)
    if (!prototype || prototype === Object.prototype || prototype === Array.prototype) return
    for (const name of [
      'data',
      'detail',
      'reason',
      'message',
      'cause',
      'stack',
      'name',
      'value',
      'body',
      'state',
      'error',
    ]) {
      const { get } = getOwnPropertyDescriptor(prototype, name) ?? {}
      if (get) look(apply(get, value, []), seen, depth - 1)
    }
  }

  const keep = (...values) =>
    alone(() => {
      const seen = new Set()
      for (let i = 0; i < values.length; i++) look(values[i], seen)
    })

  /** A replacement of a function that records its arguments and its result. */
  function wrapped(original) {
    function spied(...args) {
      keep(this, args)
      const answer = new.target
        ? construct(original, args, new.target === spied ? original : new.target)
        : apply(original, this, args)
      keep(answer)
      return answer
    }
    if (original.prototype) defineProperty(spied, 'prototype', { value: original.prototype, writable: true })
    setPrototypeOf(spied, original)
    return spied
  }

  /** Spies on members of an object: methods, classes, getters and setters. Missing members are skipped. */
  function spy(object, ...names) {
    if (!object) return
    for (const name of names) {
      const member = getOwnPropertyDescriptor(object, name)
      if (!member?.configurable && !member?.writable) continue
      const changed = { ...member }
      for (const part of ['value', 'get', 'set'])
        if (typeof member[part] === 'function') changed[part] = wrapped(member[part])
      defineProperty(object, name, changed)
    }
  }

  return {
    keep,
    spy,
    /** Spies on all methods of an object. */
    spyAll: (object, ...but) =>
      object && spy(object, ...ownKeys(object).filter((name) => name !== 'constructor' && !but.includes(name))),
    /** Everything collected so far. */
    async loot() {
      // An object may have received a token since.
      keep([...objects])
      await Promise.all(pending)
      const buffers = new Set([...memories].map((memory) => memory.buffer ?? memory))
      const dumps = [...buffers].map((buffer) => {
        return buffer.byteLength ? new TextDecoder('latin1').decode(new Uint8Array(apply(slice, buffer, [0]))) : ''
      })
      return [...texts, ...dumps]
    },
  }
})()
