// The entry `tokenkeep/service-worker`, for an app's service worker file. It contains the core, and so the token. Pages
// reach it by messages and by their own requests.

import { inline } from '../inline.js'
import { createManager } from '../manager.js'
import { listen } from './service.js'
import type { WorkerOptions } from './worker.js'

export { isTokenError, TokenError } from '../error.js'
export type { TokenErrorCode, TokenErrorDetails } from '../error.js'
export type { WorkerOptions }
export type * from '../types.js'

/** How the service worker takes control of pages. */
export interface ServiceOptions {
  /**
   * Whether it replaces the previous worker at once (`skipWaiting`), and controls pages that are already open
   * (`clients.claim`). Default `false`, which leaves both to the app.
   */
  takeOver?: boolean
}

/**
 * Makes this service worker the home of a manager. Call it once, synchronously while the script runs. It answers
 * requests of the pages to `apis`, and leaves all others to other listeners. `options` may contain functions, and no
 * page can change them.
 *
 * ```ts
 * import { serve } from 'tokenkeep/service-worker'
 * serve({ refresh: '/auth/refresh', apis: ['/api'] })
 * ```
 */
export function serve(options: WorkerOptions, { takeOver = false }: ServiceOptions = {}): void {
  const service = { own: options, takeOver }
  listen(
    (options) => createManager(inline, options),
    () => service,
  )
}
