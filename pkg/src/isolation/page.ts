// The entry `tokenkeep/isolated`: the same manager, whose token lives in a worker of whatever kind. Nothing of the core is here.

import { createIsolated } from './manager.js';
import type { TokenManager } from '../types.js';
import type { WorkerOptions } from './worker.js';

export { isTokenError, TokenError } from '../error.js';
export type { TokenErrorCode, TokenErrorDetails } from '../error.js';
export type { WorkerOptions };
export type * from '../types.js';

/** In a worker of this tab's, in one for all tabs of the origin, or in the service worker that answers what its pages fetch. */
export type Isolation = 'worker' | 'shared-worker' | 'service-worker';

/** Where the worker comes from: its script, or a function that starts it, as a bundler knows it. */
export type WorkerSource = string | URL | (() => Worker | SharedWorker);

/** Where the service worker comes from: its script, or a function that registers it. */
export type ServiceWorkerSource = string | URL | (() => ServiceWorkerRegistration | Promise<ServiceWorkerRegistration>);

/** Where the token lives. */
export type HomeOptions =
  | {
      /** `'worker'`: in a worker of this tab's. `'shared-worker'`: in one for all tabs of the origin. */
      isolation: 'worker' | 'shared-worker';
      /** The worker's script, or a function that starts it, as `() => new Worker(…)`. Default: the script that comes with the package. */
      worker?: WorkerSource;
      /** Where there is no `SharedWorker`: a worker for each tab. Default: none; every call rejects with `not-loaded`. */
      fallback?: 'worker';
    }
  | {
      /** In the service worker of the page's scope, which also answers what the page fetches without the manager. */
      isolation: 'service-worker';
      /**
       * The service worker's script, or a function that registers it. With options in the page it is `tokenkeep/service-worker/script`, which is
       * told them in its URL; a file of the app's own has them itself.
       */
      worker: ServiceWorkerSource;
      /** Where no service worker is to be had: a worker with the package's script and the page's options. Default: none. */
      fallback?: 'shared-worker' | 'worker';
    };

/** Options for a worker that has none of its own: plain values, for functions cannot cross. */
export type IsolatedOptions = HomeOptions & WorkerOptions;

/**
 * As the main entry's `createTokenManager`: the same manager, but the token is in a worker, where no script of the page can read it. Never
 * throws; where there is no such worker, `ready` and every call reject with a {@link TokenError} `not-loaded` that says why.
 *
 * ```ts
 * export const auth = createTokenManager({ refresh: '/auth/refresh', isolation: 'worker' })
 * ```
 *
 * A worker file of the app's own, which calls `serve(options)` of `tokenkeep/worker`, has the options; `worker` says where it is.
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(
  options: IsolatedOptions | (HomeOptions & { worker: WorkerSource | ServiceWorkerSource }),
): TokenManager<Claims> {
  return createIsolated(options) as unknown as TokenManager<Claims>;
}
