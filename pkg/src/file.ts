// The second entry: the WebAssembly is a file of its own (`tokenkeep/core.wasm`), for streaming compilation and caching.

import { createManager } from './manager.js';
import { remote, type WasmSource } from './remote.js';
import type { TokenManager, TokenManagerOptions } from './types.js';

export { isTokenError, TokenError } from './error.js';
export type { TokenErrorCode, TokenErrorDetails } from './error.js';
export type { WasmSource } from './remote.js';
export type * from './types.js';

/**
 * As the main entry's `createTokenManager`, but loads the WebAssembly from `wasm`: its URL as the bundler gives it, or a
 * `Response`, bytes, a compiled module, or a promise of one of these. A file that could not be had (`not-loaded`,
 * `retryable`) is asked for again by the next call.
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
  return createManager(remote(wasm), options) as unknown as TokenManager<Claims>;
}
