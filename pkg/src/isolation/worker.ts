// The entry `tokenkeep/worker`, for an app's worker file. It contains the core, and so the token. Pages reach it by
// messages.

import { serveWith } from './serve.js'
import { inline } from '../inline.js'
import { createManager } from '../manager.js'
import type { TokenManagerOptions } from '../types.js'

export { isTokenError, TokenError } from '../error.js'
export type { TokenErrorCode, TokenErrorDetails } from '../error.js'
export type * from '../types.js'

/** The options of a worker. None of them reveals the token to a page. */
export type WorkerOptions = Omit<TokenManagerOptions, 'attach' | 'exposeToken' | 'isolation' | 'tabs'> & {
  /** The header that carries the token. */
  attach?: { header?: string; scheme?: string }
  /** As in the page, but without `'share'`, which would send the token to all pages of the origin. Default `'lock'`. */
  tabs?: 'lock' | 'off'
}

/**
 * Makes this worker the home of a manager. Call it once, synchronously while the worker's script runs. `options` may
 * contain functions, and no page can change them. Without `options`, the first page passes them.
 *
 * ```ts
 * import { serve } from 'tokenkeep/worker'
 * serve({ refresh: '/auth/refresh', apis: ['/api'] })
 * ```
 */
export function serve(options?: WorkerOptions): void {
  serveWith((options) => createManager(inline, options), options)
}
