// Connects pages to a worker or a shared worker.

import type { TokenManager } from '../types.js'
import { calm } from './platform/fetch.js'
import { createServer } from './server.js'

/** How long a disposed manager may still send requests, in milliseconds. The worker ends when they are answered. */
const LINGER = 2000

/** See `serve`. */
export function serveWith(make: (options: unknown) => TokenManager, own: unknown): void {
  const { attend } = createServer(make, { own })
  if ('onconnect' in globalThis) {
    addEventListener('connect', (event) => attend((event as MessageEvent).ports[0]!))
    return
  }
  const left = (isDisposed: boolean, manager: TokenManager | undefined) => {
    if (!isDisposed) return
    manager?.dispose()
    setTimeout(() => calm().then(close), LINGER)
  }
  // Accept one port from one page, and ignore later messages.
  const listen = ({ ports: [port] }: MessageEvent) => {
    if (!port) return
    removeEventListener('message', listen)
    attend(port, left)
  }
  addEventListener('message', listen)
}
