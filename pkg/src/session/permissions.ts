// What a token's claims allow, for showing the right buttons. It protects nothing: the server does.

import type { TokenState } from '../types.js';

/**
 * Whether the claims name what is asked for, all of it where it is a list. For what is shown, and for nothing else: claims are not verified here, and a
 * user can change what a page shows. The server decides at each call.
 *
 * `from` names the claims to look at, by name or by dotted path: a text of names with spaces between (RFC 8693, section 4.2), or a list. Default: `scope` and `scp`.
 * No claims, no permission: also with an opaque token.
 *
 * ```ts
 * can(auth.state, 'orders:write')
 * can(auth.state, 'editor', 'realm_access.roles')   // Keycloak
 * ```
 */
export function can(state: Pick<TokenState<object>, 'status' | 'claims'>, wanted: string | readonly string[], from: string | readonly string[] = ['scope', 'scp']): boolean {
  const { status, claims } = state;
  if (status !== 'signed-in' || !claims) return false;
  const has = [from].flat().flatMap((path) => names(claims, path as string));
  const asked = [wanted].flat() as string[];
  return asked.length > 0 && asked.every((name) => has.includes(name));
}

function names(claims: object, path: string): unknown[] {
  // A name may have dots of its own: `https://example.com/roles`.
  const found = own(claims, path) ?? path.split('.').reduce<unknown>(own, claims);
  return typeof found === 'string' ? found.split(' ').filter(Boolean) : Array.isArray(found) ? found : [];
}

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.prototype.hasOwnProperty.call(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
