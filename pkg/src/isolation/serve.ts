// How pages come to a worker, or to a shared worker.

import type { TokenManager } from '../types.js';
import { calm } from './platform/fetch.js';
import { createServer } from './server.js';

/** What a manager that was disposed of may have to send still is sent within so many milliseconds. */
const LINGER = 2000;

/** See `serve`. */
export function serveWith(make: (options: unknown) => TokenManager, own: unknown): void {
  if ('onconnect' in globalThis) {
    const { attend } = createServer(make, { own });
    addEventListener('connect', (event) => attend((event as MessageEvent).ports[0]!));
    return;
  }
  const { attend } = createServer(make, { own });
  const left = (isDisposed: boolean, manager: TokenManager | undefined) => {
    if (!isDisposed) return;
    manager?.dispose();
    setTimeout(() => calm().then(close), LINGER);
  };
  // One page, and one port of it: whatever comes after that is nobody's.
  const listen = ({ ports: [port] }: MessageEvent) => {
    if (!port) return;
    removeEventListener('message', listen);
    attend(port, left);
  };
  addEventListener('message', listen);
}
