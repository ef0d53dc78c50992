// The second entry: the WebAssembly is a separate file (`tokenkeep/core.wasm`), for streaming compilation and caching.

import { createManager } from './manager.js'
import { remote, type WasmSource } from './remote.js'
import type { TokenManager, TokenManagerOptions } from './types.js'

export { isTokenError, TokenError } from './error.js'
export type { TokenErrorCode, TokenErrorDetails } from './error.js'
export type { WasmSource } from './remote.js'
export type * from './types.js'

/**
 * Like the main entry's `createTokenManager`, but loads the WebAssembly from `wasm`: its URL as the bundler gives it, or
 * a `Response`, bytes, a compiled module, or a promise of one of these. If the file could not be loaded (`not-loaded`,
 * `retryable`), the next call requests it again.
 *
 * ```ts
 * import wasm from 'tokenkeep/core.wasm?url'   // Vite
 * export const auth = createTokenManager({ refresh: '/auth/refresh' }, wasm)
 * ```
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(
  options: TokenManagerOptions,
  wasm: WasmSource | Promise<WasmSource>,
): TokenManager<Claims> {
  return createManager(remote(wasm), options) as unknown as TokenManager<Claims>
}
