// The entry `tokenkeep/isolated`: the same manager, with the token in a worker of any kind. It contains no part of the
// core.

import { createIsolated } from './manager.js'
import type { TokenManager } from '../types.js'
import type { WorkerOptions } from './worker.js'

export { isTokenError, TokenError } from '../error.js'
export type { TokenErrorCode, TokenErrorDetails } from '../error.js'
export type { WorkerOptions }
export type * from '../types.js'

/**
 * A worker for this tab, a shared worker for all tabs of the origin, or the service worker that answers requests of its
 * pages.
 */
export type Isolation = 'worker' | 'shared-worker' | 'service-worker'

/** The worker's script, or a function that starts the worker. */
export type WorkerSource = string | URL | (() => Worker | SharedWorker)

/** The service worker's script, or a function that registers the service worker. */
export type ServiceWorkerSource = string | URL | (() => ServiceWorkerRegistration | Promise<ServiceWorkerRegistration>)

/** Where the token lives. */
export type HomeOptions =
  | {
      /** `'worker'`: in a worker for this tab. `'shared-worker'`: in a shared worker for all tabs of the origin. */
      isolation: 'worker' | 'shared-worker'
      /**
       * The worker's script, or a function that starts the worker, such as `() => new Worker(…)`. Default: the
       * package's script.
       */
      worker?: WorkerSource
      /**
       * Use a worker for each tab if the browser has no `SharedWorker`. By default every call then rejects with
       * `not-loaded`.
       */
      fallback?: 'worker'
    }
  | {
      /**
       * In the service worker of the page's scope, which also answers the requests that the page sends without the
       * manager.
       */
      isolation: 'service-worker'
      /**
       * The service worker's script, or a function that registers the service worker. If the options are in the page,
       * use the script `tokenkeep/service-worker/script`, which gets them in its URL. A service worker file of the app
       * contains the options itself.
       */
      worker: ServiceWorkerSource
      /**
       * Use this home, with the package's script and the page's options, if there is no service worker. Default: none.
       */
      fallback?: 'shared-worker' | 'worker'
    }

/**
 * Options for a worker that has no options of its own. They are plain values, because functions cannot be sent to a
 * worker.
 */
export type IsolatedOptions = HomeOptions & WorkerOptions

/**
 * Like `createTokenManager` of the main entry, but the token is in a worker, where no script of the page can read it.
 * Never throws. If the worker cannot be started, `ready` and every call reject with a {@link TokenError} `not-loaded`
 * that says why.
 *
 * ```ts
 * export const auth = createTokenManager({ refresh: '/auth/refresh', isolation: 'worker' })
 * ```
 *
 * Alternatively, write a worker file that calls `serve(options)` of `tokenkeep/worker`, and pass its URL as `worker`.
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(
  options: IsolatedOptions | (HomeOptions & { worker: WorkerSource | ServiceWorkerSource }),
): TokenManager<Claims> {
  return createIsolated(options) as unknown as TokenManager<Claims>
}
