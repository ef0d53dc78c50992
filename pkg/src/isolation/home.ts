// Starts the worker in which the token is to live, or says why there is none. There is no other home to fall back on than the one that the app
// has named.

import { TokenError } from '../error.js';
import type { Isolation, WorkerSource } from './page.js';

/** The page's end of the line to a worker. */
export interface Home {
  readonly port: MessagePort;
  /** Calls `lost` where the worker's script does not come, or does not run. */
  onLost(lost: (cause: unknown) => void): void;
}

/** `name` tells shared workers of one script apart. Throws a `TokenError`. */
export function openHome(isolation: Isolation, source: WorkerSource | undefined, name: string, mayFallBack: boolean): Home {
  let isShared = isolation === 'shared-worker';
  if (isShared && typeof SharedWorker !== 'function') {
    if (!mayFallBack) throw unavailable("there is no SharedWorker here, and no `fallback`");
    isShared = false;
  }
  if (typeof Worker !== 'function') throw unavailable('there are no workers here');
  let worker;
  try {
    worker = start(isShared, source, name);
  } catch (cause) {
    throw unavailable(`the platform refuses it (${String(cause)})`, cause);
  }
  let port: MessagePort;
  if ('port' in worker) port = worker.port;
  else {
    const channel = new MessageChannel();
    port = channel.port1;
    worker.postMessage('tokenkeep', [channel.port2]);
  }
  return {
    port,
    // Some engines show an error of the script's to the console as well, where it says more.
    onLost: (lost) => worker.addEventListener('error', lost),
  };
}

// Each of the two expressions is written as bundlers look for it. A shared worker that outlasts a reload ends the refresh that is under way,
// where the platform can (`extendedLifetime`): its cookie is the only one that the server still takes.
function start(isShared: boolean, source: WorkerSource | undefined, name: string): Worker | SharedWorker {
  if (typeof source === 'function') return source();
  if (source !== undefined) return new (isShared ? SharedWorker : Worker)(source, { type: 'module', name, extendedLifetime: true } as WorkerOptions);
  return isShared
    ? new SharedWorker(new URL('./script.js', import.meta.url), { type: 'module', name, extendedLifetime: true } as WorkerOptions)
    : new Worker(new URL('./script.js', import.meta.url), { type: 'module', name });
}

/** Why there is no home. */
export function unavailable(why: string, cause?: unknown): TokenError {
  return new TokenError('not-loaded', `The worker that keeps the token could not be started: ${why}. Nothing was sent.`, { cause });
}
