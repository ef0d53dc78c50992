// The entry `tokenkeep/service-worker`, for a service worker of the app's own: the core is here, and with it the token. Pages come by messages,
// and by what they fetch.

import { inline } from '../inline.js';
import { createManager } from '../manager.js';
import { listen } from './service.js';
import type { WorkerOptions } from './worker.js';

export { isTokenError, TokenError } from '../error.js';
export type { TokenErrorCode, TokenErrorDetails } from '../error.js';
export type { WorkerOptions };
export type * from '../types.js';

/** How the service worker comes to its pages. */
export interface ServiceOptions {
  /**
   * Whether it replaces the worker before it at once (`skipWaiting`), and answers the pages that are open already (`clients.claim`). Default
   * `false`: that is the app's own to say.
   */
  takeOver?: boolean;
}

/**
 * Makes this service worker the home of a manager. To be called in the turn in which the script runs, once. It answers what the pages
 * fetch from `apis`, and leaves all else to other listeners. No page can give options, which may contain functions.
 *
 * ```ts
 * import { serve } from 'tokenkeep/service-worker'
 * serve({ refresh: '/auth/refresh', apis: ['/api'] })
 * ```
 */
export function serve(options: WorkerOptions, { takeOver = false }: ServiceOptions = {}): void {
  const service = { own: options, takeOver };
  listen((options) => createManager(inline, options), () => service);
}
