// How pages come to a service worker: by messages, and by what they fetch. It may be ended whenever nothing is under way, and begins again
// with the next event; so an event lasts as long as what it has set off.

import { covers } from '../covers.js';
import type { TokenManager } from '../types.js';
import { decoded } from '#page';
import { isWritten, keep } from './kept.js';
import { calm } from './platform/fetch.js';
import type { Settled } from './options.js';
import { createServer, type Kind, type Line, type Server } from './server.js';
import { told } from './told.js';

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Message extends Lasting {
  readonly data: { tokenkeep?: string; call?: number } | undefined;
  readonly ports: readonly MessagePort[];
  readonly source: { postMessage(message: unknown): void } | null;
}

interface Fetch extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response> | Response): void;
}

interface Scope {
  readonly clients: { claim(): Promise<void>; matchAll(of: { includeUncontrolled: boolean }): Promise<{ postMessage(message: unknown): void }[]> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(type: 'message', listener: (event: Message) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void;
}

/** What a service worker serves with. */
export interface Service extends Pick<Kind, 'own' | 'stated'> {
  /** Whether it replaces the one before it at once, and the pages that are open are its own. */
  takeOver: boolean;
}

/** What a page calls by: `fetch`, XMLHttpRequest and EventSource have no destination. No page waits for a refresh before it is shown. */
const CALLS = ['', 'image', 'audio', 'video', 'track'];

const scope = globalThis as unknown as Scope;

/** To be called in the turn in which the script runs. `service` is asked at each event; where it says nothing, nobody is served. */
export function listen(make: (options: unknown) => TokenManager, service: () => Service | undefined): void {
  /** Tells this life of the worker from others. */
  const life = crypto.randomUUID();
  const lines = new Map<string, { line: Line; port: MessagePort }>();
  let begun: { server: Server; loaded: Promise<void> } | undefined;

  /** At the first event: reads what the life before has left, and lets the pages know of this one. */
  function begin({ own, stated }: Service): NonNullable<typeof begun> {
    if (begun) return begun;
    const kept = keep();
    void scope.clients.matchAll({ includeUncontrolled: true }).then((pages) => {
      for (const page of pages) page.postMessage({ tokenkeep: 'here', life });
    });
    return (begun = { server: createServer(make, { own, stated, kept }), loaded: kept.loaded });
  }

  scope.addEventListener('install', () => {
    if (service()?.takeOver) void scope.skipWaiting();
  });
  scope.addEventListener('activate', (event) => {
    if (service()?.takeOver) event.waitUntil(scope.clients.claim());
  });

  scope.addEventListener('message', (event) => {
    const serving = service();
    const { data, ports: [port], source } = event;
    const name = data?.tokenkeep;
    if (!serving || typeof name !== 'string') return;
    const { server, loaded } = begin(serving);
    const heard = loaded.then(() => {
      if (port) {
        // Beside the server, which does not know of them.
        port.addEventListener('message', ({ data }) => data?.kind === 'ping' && port.postMessage({ kind: 'alive', life }));
        lines.set(name, { port, line: server.attend(port, () => lines.delete(name)) });
        return port.postMessage({ kind: 'alive', life });
      }
      const known = lines.get(name);
      if (!known) return source?.postMessage({ tokenkeep: 'unknown', line: name });
      const { call } = data!;
      known.port.postMessage({ kind: 'alive', life, call });
      return call === undefined ? undefined : known.line.until(call);
    });
    event.waitUntil(heard.then(calm).then(isWritten));
  });

  scope.addEventListener('fetch', (event) => {
    const serving = service();
    const { request } = event;
    const { destination, mode, url, method } = request;
    if (!serving || mode === 'navigate' || !CALLS.includes(destination)) return;
    const { server, loaded } = begin(serving);
    const settled = server.settled();
    if (!settled) return;
    if (server.givesTokens(url, method)) {
      console.warn(`tokenkeep: ${method} ${url.split('?')[0]} answers with tokens, so this page does not get it; call login, exchange, refresh or logout of the manager.`);
      return event.respondWith(Response.error());
    }
    if (!covers(settled.apis, new URL(url)) || request.headers.has('authorization')) return;
    // An answer that cannot be read cannot be judged; and the cache has nothing of ours.
    if (mode === 'no-cors' && new URL(url).origin !== location.origin) return;
    if (request.cache === 'only-if-cached') return;
    event.respondWith(loaded.then(() => answer(server, settled, request)));
    event.waitUntil(loaded.then(calm).then(isWritten));
  });
}

async function answer(server: Server, { cookies, adopt }: Settled, request: Request): Promise<Response> {
  if (!server.isVisited()) {
    // What a page alone can say, and no page has said yet: whether a logout that is pending may be finished now, and the cookies.
    if (Object.keys(told.marks).length || !(await readCookies(cookies))) return fetch(request);
  } else if (cookies.length) await readCookies(cookies);
  const { url, mode } = request;
  // The token does not follow a redirect to where nobody has agreed to it.
  const response = await server.begun().fetch(mode === 'no-cors' ? new Request(request, { mode: 'same-origin' }) : request);
  server.guard(response.url || url, request.method, response);
  if (adopt === undefined || !response.headers.has(adopt)) return response;
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.delete(adopt);
  return new Response(response.body, { status, statusText, headers });
}

/** Whether what the options name is known: the platform may have no `cookieStore`. */
async function readCookies(names: string[]): Promise<boolean> {
  const { cookieStore } = globalThis as { cookieStore?: { get(name: string): Promise<{ value: string } | null> } };
  if (!cookieStore) return !names.length;
  for (const name of names) {
    const found = await cookieStore.get(name);
    told.cookies[name] = found ? decoded(found.value) : undefined;
  }
  return true;
}
