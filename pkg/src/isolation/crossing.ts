// Prepares options for the worker: plain values, with URLs resolved against this page.

import { ownBase } from '../base.js'
import { isRecord, textOf, type Given } from './text.js'

/** `options` is a snapshot. Throws a `TokenError` that names an option that cannot be sent. */
export function crossingOptions(options: Given): { options: Given; name: string } {
  const base = ownBase()
  const resolved = (value: unknown) => {
    try {
      return typeof value === 'string' ? new URL(value, base).href : value
    } catch {
      // The worker reports the bad URL.
      return value
    }
  }
  const call = (value: unknown) => (isRecord(value) ? { ...value, url: resolved(value.url) } : resolved(value))
  // Ignore members of a polluted Object.prototype.
  const copy = { __proto__: null, ...options } as Given
  for (const name of ['refresh', 'logout']) if (copy[name] !== undefined) copy[name] = call(copy[name])
  if (Array.isArray(copy.apis)) copy.apis = copy.apis.map(resolved)
  return { options: copy, name: `tokenkeep ${textOf(copy)}` }
}
