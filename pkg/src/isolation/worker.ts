// The entry `tokenkeep/worker`, for a worker of the app's own: the core is here, and with it the token. Pages come by messages.

import { serveWith } from './serve.js';
import { inline } from '../inline.js';
import { createManager } from '../manager.js';
import type { TokenManagerOptions } from '../types.js';

export { isTokenError, TokenError } from '../error.js';
export type { TokenErrorCode, TokenErrorDetails } from '../error.js';
export type * from '../types.js';

/** Options as a worker takes them: nothing that shows the token to a page. */
export type WorkerOptions = Omit<TokenManagerOptions, 'attach' | 'exposeToken' | 'isolation' | 'tabs'> & {
  /** How the token is put on a request: in a header. */
  attach?: { header?: string; scheme?: string };
  /** As in the page; `'share'` would show the token to all pages of the origin. Default `'lock'`. */
  tabs?: 'lock' | 'off';
};

/**
 * Makes this worker the home of a manager. To be called in the turn in which the worker's script runs, once. With `options`, which may
 * contain functions, no page can give any; without, the first page gives them.
 *
 * ```ts
 * import { serve } from 'tokenkeep/worker'
 * serve({ refresh: '/auth/refresh', apis: ['/api'] })
 * ```
 */
export function serve(options?: WorkerOptions): void {
  serveWith((options) => createManager(inline, options), options);
}
