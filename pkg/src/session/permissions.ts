// What a token's claims allow, to show the right buttons. It protects nothing: only the server does.

import type { TokenState } from '../types.js'

/**
 * Whether the claims contain the wanted permission, or all permissions of a list. Only use it to decide what to show: claims are not verified
 * here, and users can change what a page shows. The server decides at each call.
 *
 * `from` names the claims to read, by name or by dotted path. A claim is a string of permissions separated by spaces (RFC 8693, section 4.2), or
 * a list. Default: `scope` and `scp`. Without claims, as with an opaque token, there are no permissions.
 *
 * ```ts
 * can(auth.state, 'orders:write')
 * can(auth.state, 'editor', 'realm_access.roles')   // Keycloak
 * ```
 */
export function can(
  state: Pick<TokenState<object>, 'status' | 'claims'>,
  wanted: string | readonly string[],
  from: string | readonly string[] = ['scope', 'scp'],
): boolean {
  const { status, claims } = state
  if (status !== 'signed-in' || !claims) return false
  const has = [from].flat().flatMap((path) => names(claims, path as string))
  const asked = [wanted].flat() as string[]
  return asked.length > 0 && asked.every((name) => has.includes(name))
}

function names(claims: object, path: string): unknown[] {
  // A claim's name may itself contain dots: `https://example.com/roles`.
  const found = own(claims, path) ?? path.split('.').reduce<unknown>(own, claims)
  return typeof found === 'string' ? found.split(' ').filter(Boolean) : Array.isArray(found) ? found : []
}

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.prototype.hasOwnProperty.call(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
