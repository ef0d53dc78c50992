// Copies plain data during the call, so that later changes by the caller have no effect.

/** Copies plain objects and arrays deeply, and turns a `URL` into its text. The core judges all other values. Throws whatever a getter throws. */
export function snapshot(value: unknown, depth = 8): unknown {
  if (typeof value !== 'object' || value === null || !depth) return value
  // Works for a `URL` of any realm, and on platforms without the class.
  if (Object.prototype.toString.call(value) === '[object URL]') return (value as URL).href
  if (Array.isArray(value)) return value.map((item) => snapshot(item, depth - 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype && Object.getPrototypeOf(prototype)) return value
  // No prototype, so that members of a polluted Object.prototype are not taken for options.
  const copy = Object.create(null) as Record<string, unknown>
  for (const name of Object.keys(value)) copy[name] = snapshot((value as Record<string, unknown>)[name], depth - 1)
  return copy
}
