// The snapshot and the challenges for JavaScript, frozen. No function here throws.

import { parse } from '../browser/json.js'

/**
 * A snapshot: `claims` is a JSON text, if there are any.
 * @param {string} status @param {string} [claims] @param {number} [expiresAt] @param {number} [sessionExpiresAt]
 */
export function state(status, claims, expiresAt, sessionExpiresAt) {
  return freeze({
    status,
    claims: parse(claims) ?? null,
    expiresAt: expiresAt ?? null,
    sessionExpiresAt: sessionExpiresAt ?? null,
  })
}

/**
 * Builds challenges from alternating names and values of parameters. The name `''`, which no parameter has, is followed
 * by a scheme.
 * @param {string[]} flat
 */
export function challenges(flat) {
  const list = []
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] === '') list.push({ scheme: flat[i + 1], parameters: { __proto__: null } })
    else list[list.length - 1].parameters[flat[i]] ??= flat[i + 1]
  }
  return freeze(list)
}

/**
 * Freezes a value deeply. It uses a list instead of recursion, because a hostile payload can be nested very deeply.
 * @template T @param {T} value @returns {T}
 */
export function freeze(value) {
  try {
    for (const list = [value]; list.length;) {
      const next = list.pop()
      if (typeof next === 'object' && next !== null) {
        for (const member of Object.values(Object.freeze(next))) list.push(member)
      }
    }
  } catch {
    // The page has patched one of these functions. A value that is not frozen is better than none.
  }
  return value
}
