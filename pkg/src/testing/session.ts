// Reads tokens and session data for the state.

import { frozen } from '../frozen.js'
import { UNKNOWN } from '../state.js'
import type { TokenState } from '../types.js'

export const SIGNED_OUT: TokenState<any> = Object.freeze({ ...UNKNOWN, status: 'signed-out' })

/** A copy by way of JSON, as from a server. */
export function copied<T>(value: T): T {
  return value === undefined ? value : frozen(JSON.parse(JSON.stringify(value)) as T)
}

/** The payload of a JWT; `null` for any other token. */
export function payload(token: string): Record<string, unknown> | null {
  try {
    const [, part, , ...more] = token.split('.')
    if (more.length) return null
    const bytes = Uint8Array.from(atob(part!.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && !Array.isArray(claims) ? (claims as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}

/** When a token expires: after `expiresIn` seconds, or as its claims say. */
export function endOf(claims: Record<string, unknown> | null, expiresIn: number | undefined): number | null {
  const { exp, iat } = { ...claims }
  const life =
    expiresIn ?? (typeof exp === 'number' ? (typeof iat === 'number' ? exp - iat : exp - Date.now() / 1000) : undefined)
  return life === undefined ? null : Date.now() + life * 1000
}
