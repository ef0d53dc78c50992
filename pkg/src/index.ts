// The main entry: a single file that contains the WebAssembly.

import { inline } from './inline.js'
import { createManager } from './manager.js'
import type { TokenManager, TokenManagerOptions } from './types.js'

export { isTokenError, TokenError } from './error.js'
export type { TokenErrorCode, TokenErrorDetails } from './error.js'
export type * from './types.js'

/**
 * Creates a token manager. It is synchronous and safe under Node, so it can be called at module scope. It never
 * throws: with a bad option, `ready` and every call reject with a {@link TokenError} `invalid-option`.
 *
 * The options are read during this call, and their relative URLs are resolved against the page's URL at that time.
 *
 * ```ts
 * export const auth = createTokenManager({ refresh: '/auth/refresh' })
 * const answer = await auth.fetch('/api/me')
 * ```
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(
  options: TokenManagerOptions,
): TokenManager<Claims> {
  return createManager(inline, options) as unknown as TokenManager<Claims>
}
