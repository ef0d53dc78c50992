// The main entry: one file, the WebAssembly in it.

import { inline } from './inline.js';
import { createManager } from './manager.js';
import type { TokenManager, TokenManagerOptions } from './types.js';

export { isTokenError, TokenError } from './error.js';
export type { TokenErrorCode, TokenErrorDetails } from './error.js';
export type * from './types.js';

/**
 * Makes a token manager. Synchronous, and without harm under Node: it can stand at module scope. It never throws;
 * a bad option is a {@link TokenError} `invalid-option` that `ready` and every call reject with.
 *
 * The options are read at the call, and relative URLs in them resolved against the page as it is then.
 *
 * ```ts
 * export const auth = createTokenManager({ refresh: '/auth/refresh' })
 * const answer = await auth.fetch('/api/me')
 * ```
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(options: TokenManagerOptions): TokenManager<Claims> {
  return createManager(inline, options) as unknown as TokenManager<Claims>;
}
