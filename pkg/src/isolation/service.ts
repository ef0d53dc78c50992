// Connects pages to a service worker: by messages, and by their own requests. The browser may end an idle service
// worker, and starts it again for the next event. So each event is extended until the work that it started is done.

import { covers } from '../covers.js'
import type { TokenManager } from '../types.js'
import { decoded } from '#page'
import { keep } from './kept.js'
import { calm } from './platform/fetch.js'
import type { ParsedOptions } from './options.js'
import { createServer, type Kind, type Line, type Server } from './server.js'
import { told } from './told.js'

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void
}

interface Message extends Lasting {
  readonly data: { tokenkeep?: string; call?: number } | undefined
  readonly ports: readonly MessagePort[]
  readonly source: { postMessage(message: unknown): void } | null
}

interface Fetch extends Lasting {
  readonly request: Request
  respondWith(answer: Promise<Response> | Response): void
}

interface Scope {
  readonly clients: {
    claim(): Promise<void>
    matchAll(of: { includeUncontrolled: boolean }): Promise<{ postMessage(message: unknown): void }[]>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'message', listener: (event: Message) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void
}

/** The options of a service worker. */
export interface Service extends Pick<Kind, 'own' | 'stated'> {
  /** Whether it replaces the previous worker at once, and controls pages that are already open. */
  takeOver: boolean
}

/**
 * The destinations of requests that get the token. `fetch`, XMLHttpRequest and EventSource have an empty one.
 * Navigations are left out, so that no page waits for a refresh before it is shown.
 */
const CALLS = ['', 'image', 'audio', 'video', 'track']

const scope = globalThis as unknown as Scope

/**
 * Call it synchronously while the script runs. `service` is called at each event; if it returns nothing, the event is
 * ignored.
 */
export function listen(make: (options: unknown) => TokenManager, service: () => Service | undefined): void {
  /** Identifies this life of the worker. */
  const life = crypto.randomUUID()
  const lines = new Map<string, { line: Line; port: MessagePort }>()
  let begun: { server: Server; loaded: Promise<void>; written: () => Promise<unknown> } | undefined

  /** At the first event: reads the data that earlier lives have stored, and announces this life to the pages. */
  function begin({ own, stated }: Service): NonNullable<typeof begun> {
    if (begun) return begun
    const kept = keep()
    void scope.clients.matchAll({ includeUncontrolled: true }).then((pages) => {
      for (const page of pages) page.postMessage({ tokenkeep: 'here', life })
    })
    return (begun = { server: createServer(make, { own, stated, kept }), loaded: kept.loaded, written: kept.written })
  }

  scope.addEventListener('install', () => {
    if (service()?.takeOver) void scope.skipWaiting()
  })
  scope.addEventListener('activate', (event) => {
    if (service()?.takeOver) event.waitUntil(scope.clients.claim())
  })

  scope.addEventListener('message', (event) => {
    const serving = service()
    const {
      data,
      ports: [port],
      source,
    } = event
    const name = data?.tokenkeep
    if (!serving || typeof name !== 'string') return
    const { server, loaded, written } = begin(serving)
    const heard = loaded.then(() => {
      if (port) {
        // The server does not handle pings.
        port.addEventListener(
          'message',
          ({ data }) => data?.kind === 'ping' && port.postMessage({ kind: 'alive', life }),
        )
        lines.set(name, { port, line: server.attend(port, () => lines.delete(name)) })
        return port.postMessage({ kind: 'alive', life })
      }
      const known = lines.get(name)
      if (!known) return source?.postMessage({ tokenkeep: 'unknown', line: name })
      const { call } = data!
      known.port.postMessage({ kind: 'alive', life, call })
      return call === undefined ? undefined : known.line.until(call)
    })
    event.waitUntil(heard.then(calm).then(written))
  })

  scope.addEventListener('fetch', (event) => {
    const serving = service()
    const { request } = event
    const { destination, mode, url, method } = request
    if (!serving || mode === 'navigate' || !CALLS.includes(destination)) return
    const { server, loaded, written } = begin(serving)
    const parsed = server.parsed()
    if (!parsed) return
    if (server.givesTokens(url, method)) {
      console.warn(
        `tokenkeep: ${method} ${url.split('?')[0]} returns tokens, so the page's request was blocked. Call login, exchange, refresh or logout of the manager.`,
      )
      return event.respondWith(Response.error())
    }
    if (!covers(parsed.apis, new URL(url)) || request.headers.has('authorization')) return
    // An opaque response cannot be checked for a 401. The cache contains no responses to requests with the token.
    if (mode === 'no-cors' && new URL(url).origin !== location.origin) return
    if (request.cache === 'only-if-cached') return
    event.respondWith(loaded.then(() => answer(server, parsed, request)))
    event.waitUntil(loaded.then(calm).then(written))
  })
}

async function answer(server: Server, { cookies, adopt }: ParsedOptions, request: Request): Promise<Response> {
  if (!server.isVisited()) {
    // No page has connected yet. Only a page knows whether a pending logout may be finished now, and possibly the
    // cookies.
    if (Object.keys(told.marks).length || !(await readCookies(cookies))) return fetch(request)
  } else if (cookies.length) await readCookies(cookies)
  const { url, mode } = request
  // A redirect must not take the token to an origin that did not opt in with CORS.
  const response = await server
    .begun()
    .fetch(mode === 'no-cors' ? new Request(request, { mode: 'same-origin' }) : request)
  server.guard(response.url || url, request.method, response)
  if (adopt === undefined || !response.headers.has(adopt)) return response
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  headers.delete(adopt)
  return new Response(response.body, { status, statusText, headers })
}

/** Reads the cookies that the options name. Returns false if it cannot, because the platform has no `cookieStore`. */
async function readCookies(names: string[]): Promise<boolean> {
  const { cookieStore } = globalThis as { cookieStore?: { get(name: string): Promise<{ value: string } | null> } }
  if (!cookieStore) return !names.length
  for (const name of names) {
    const found = await cookieStore.get(name)
    told.cookies[name] = found ? decoded(found.value) : undefined
  }
  return true
}
