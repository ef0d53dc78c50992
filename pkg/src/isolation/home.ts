// Starts the worker that will keep the token, or reports why it cannot. It falls back only to the home that the app has
// named.

import { TokenError } from '../error.js'
import type { Isolation, WorkerSource } from './page.js'

/** The page's connection to a worker. */
export interface Home {
  readonly port: MessagePort
  /** Calls `lost` if the worker's script does not load or run. */
  onLost(lost: (cause: unknown) => void): void
}

/** `name` distinguishes shared workers with the same script. Throws a `TokenError`. */
export function openHome(
  isolation: Isolation,
  source: WorkerSource | undefined,
  name: string,
  mayFallBack: boolean,
): Home {
  let isShared = isolation === 'shared-worker'
  if (isShared && typeof SharedWorker !== 'function') {
    if (!mayFallBack) throw unavailable('this browser has no SharedWorker, and `fallback` is not set')
    isShared = false
  }
  if (typeof Worker !== 'function') throw unavailable('this browser has no workers')
  let worker
  try {
    worker = start(isShared, source, name)
  } catch (cause) {
    throw unavailable(`the platform refused it (${String(cause)})`, cause)
  }
  let port: MessagePort
  if ('port' in worker) port = worker.port
  else {
    const channel = new MessageChannel()
    port = channel.port1
    worker.postMessage('tokenkeep', [channel.port2])
  }
  return {
    port,
    // Some engines also log the script's error to the console, with more details.
    onLost: (lost) => worker.addEventListener('error', lost),
  }
}

// Both expressions have the form that bundlers recognise. With `extendedLifetime`, if the platform has it, a shared
// worker outlives a reload and completes the refresh in flight. Its new cookie is then the only one that the server
// accepts.
function start(isShared: boolean, source: WorkerSource | undefined, name: string): Worker | SharedWorker {
  if (typeof source === 'function') return source()
  if (source !== undefined)
    return new (isShared ? SharedWorker : Worker)(source, {
      type: 'module',
      name,
      extendedLifetime: true,
    } as WorkerOptions)
  return isShared
    ? new SharedWorker(new URL('./script.js', import.meta.url), {
        type: 'module',
        name,
        extendedLifetime: true,
      } as WorkerOptions)
    : new Worker(new URL('./script.js', import.meta.url), { type: 'module', name })
}

/** The error for a worker that could not be started. */
export function unavailable(why: string, cause?: unknown): TokenError {
  return new TokenError(
    'not-loaded',
    `The worker that keeps the token could not be started: ${why}. Nothing was sent.`,
    { cause },
  )
}
