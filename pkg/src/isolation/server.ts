// The worker's side: one manager, and a port for each page. What a page sends is a page's word: it may be a hostile script's, which can use
// the session as the page can, and no more. Options are taken once; no message reads a token.

import { covers } from '../covers.js';
import { TokenError } from '../error.js';
import { snapshot } from '../snapshot.js';
import type { SignoutEvent, TokenManager, TokenManagerEventMap } from '../types.js';
import { sendError } from './errors.js';
import { VERSION, type Facts, type ToPage, type ToWorker, type WireError, type WireRequest, type WireResponse } from './messages.js';
import { place, settle, type Settled } from './options.js';
import { revive } from './request.js';
import { pump, sendResponse } from './response.js';
import { textOf } from './text.js';
import { shown, told } from './told.js';

/** A page. */
interface Page {
  post(message: ToPage): void;
  visible: boolean;
  /** The number of its last logout that the manager has been told of. */
  left: number;
}

type Of<Kind extends ToWorker['kind']> = Extract<ToWorker, { kind: Kind }>;

/** How a worker is a home. */
export interface Kind {
  /** Options of the worker's own: no page gives any. */
  own?: unknown;
  /** Options that the worker has before the first page comes, which gives the same. */
  stated?: Record<string, unknown> | undefined;
  /** What the worker keeps itself of what outlives it; otherwise the pages do. */
  kept?: Kept;
}

/** What outlives a worker that may be ended at any time. No secret is in it. */
export interface Kept {
  /** Endpoints that have answered a login: method, origin and path. */
  readonly logins: { has(endpoint: string): boolean; add(endpoint: string): void };
  /** Whether the user has signed out, and not in again. */
  isOut: boolean;
}

/** A page's line. */
export interface Line {
  /** Fulfils when the call of this number is over: where it does not come, after a while. */
  until(call: number): Promise<void>;
}

/** A call that was announced comes within so many milliseconds. */
const ANNOUNCED = 10_000;

/** What pages speak to. */
export type Server = ReturnType<typeof createServer>;

export function createServer(make: (options: unknown) => TokenManager, { own, stated, kept }: Kind) {
  const pages = new Set<Page>();
  const logins = kept?.logins ?? new Set<string>();
  /** The options, or what is wrong with them. */
  let settled: Settled | TokenError | undefined;
  /** Those of the first page, in a form that can be compared. */
  let first: string | undefined;
  let manager: TokenManager | undefined;
  /** The page that has called for the logout under way: to the others it is one of another tab's. */
  let leaving: Page | undefined;

  if (own !== undefined) take(() => snapshot(own) as Record<string, unknown>);
  else if (stated) {
    first = textOf(stated);
    take(() => stated);
  }

  function take(options: () => Record<string, unknown>): void {
    try {
      settled = settle(options());
    } catch (cause) {
      settled = cause instanceof TokenError ? cause : new TokenError('invalid-option', 'The options could not be read.', { cause });
    }
  }

  function tell(message: ToPage): void {
    for (const page of pages) page.post(message);
  }

  function start({ options }: Settled): TokenManager {
    // Who has signed out stays signed out, whatever has ended the worker since. A logout that is pending sees to that itself.
    const made = make(kept?.isOut && !Object.keys(told.marks).length ? { ...options, restore: 'manual' } : options);
    made.addEventListener('change', () => {
      if (kept && made.state.status === 'signed-in') kept.isOut = false;
      for (const page of pages) say(page, made);
    });
    made.addEventListener('refresh', ({ answer }) => event('refresh', { answer }));
    made.addEventListener('stepup', ({ challenges }) => event('stepup', { challenges }));
    made.addEventListener('refresherror', ({ error }) => event('refresherror', {}, error));
    made.addEventListener('signout', ({ reason, error }: SignoutEvent) => {
      if (kept && (reason === 'logout' || reason === 'other-tab')) kept.isOut = true;
      for (const page of pages) {
        const isOthers = reason === 'logout' && leaving && page !== leaving;
        page.post({ kind: 'event', type: 'signout', members: { reason: isOthers ? 'other-tab' : reason }, error: crossing(error) });
      }
      leaving = undefined;
    });
    return made;
  }

  function say({ post, left }: Page, { state }: TokenManager): void {
    post({ kind: 'state', state, left });
  }

  function event(type: keyof TokenManagerEventMap, members: Record<string, unknown>, error?: unknown): void {
    tell({ kind: 'event', type, members, error: crossing(error) });
  }

  /** An error of an event's. A body that nobody has asked for stays here. */
  function crossing(error: unknown): WireError | undefined {
    return error === undefined ? error : sendError(error, (response) => sendResponse(response, adopt(), undefined));
  }

  const adopt = () => (settled instanceof TokenError ? undefined : settled?.adopt);

  /** Takes in a page. `left` is told when it goes, and whether it has disposed of its manager. */
  function attend(port: MessagePort, left?: (isDisposed: boolean, manager: TokenManager | undefined) => void): Line {
    const ends = new Map<number, () => void>();
    const calls = new Map<number, { abort: AbortController; outlives: boolean }>();
    const bodies = new Map<number, (body: Blob | undefined) => void>();
    const streams = new Map<number, ReturnType<typeof pump>>();
    let last = 0;
    let isGreeted = false;
    const page: Page = { post: (message) => port.postMessage(message), visible: true, left: 0 };

    port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
      try {
        hear(data);
      } catch {
        // It is no message of ours.
      }
    };
    // Where the platform says so, it has crashed.
    port.addEventListener('close', () => leave(false));

    function hear(message: ToWorker): void {
      const { kind } = message;
      if (kind === 'hello' && !isGreeted) return greet(message);
      if (kind === 'bye') return leave(message.disposed);
      if (!isGreeted) return;
      if (kind === 'facts') return facts(message.facts);
      if (!manager) return;
      if (kind === 'fetch') void send(manager, message);
      else if (kind === 'call') void call(manager, message);
      else if (kind === 'body') bodies.get(message.id)?.(message.body);
      else if (kind === 'abort') calls.get(message.id)?.abort.abort();
      else if (kind === 'pull') streams.get(message.stream)?.pull();
      else if (kind === 'cancel') streams.get(message.stream)?.cancel();
      else if (kind === 'marks') remember(message.marks);
      else if (kind === 'shown') shown(message.persisted === true);
    }

    function greet({ version, options, marks, maybeSignIn, resumes }: Of<'hello'>): void {
      if (version !== VERSION) return refuse(new TokenError('not-loaded', 'The page and the worker are of different versions of tokenkeep.'));
      const [name] = Object.keys(options);
      const text = textOf(options);
      if (own !== undefined) {
        if (name !== undefined) return refuse(new TokenError('invalid-option', `option \`${name}\`: the worker's own file has the options; the page gives none.`));
      } else if (first === undefined) {
        first = text;
        take(() => options);
      } else if (first !== text) return refuse(new TokenError('invalid-option', 'The worker has its options already, from a page that gave others. Give the managers different names.'));
      if (settled instanceof TokenError) return refuse(settled);
      isGreeted = true;
      if (resumes) {
        last = Number(resumes.streams) || 0;
        page.left = Number(resumes.left) || 0;
      }
      if (!manager) {
        remember(marks);
        told.maybeSignIn = maybeSignIn === true;
        // A page that begins asks again.
        if (kept && !resumes) kept.isOut = false;
      } else if (maybeSignIn === true && !resumes && manager.state.status === 'signed-out' && !Object.keys(told.marks).length) void manager.signedIn().catch(() => {});
      const { apis, cookies } = settled!;
      page.post({ kind: 'welcome', version: VERSION, apis, cookies });
    }

    function refuse(error: TokenError): void {
      page.post({ kind: 'failed', error: sendError(error, () => undefined) });
    }

    function remember(marks: Record<string, string>): void {
      if (!kept) told.marks = only(marks, (text) => typeof text === 'string');
    }

    function facts({ cookies, controlled, visible }: Facts): void {
      told.cookies = only(cookies, (value) => value === undefined || value === null || typeof value === 'string');
      // A service worker's own calls go by no service worker.
      told.controlled = !kept && controlled === true;
      page.visible = visible === true;
      const isNew = !pages.has(page);
      pages.add(page);
      const { state, ready } = begun();
      look();
      if (!isNew) return;
      if (state.status !== 'unknown') say(page, manager!);
      ready.then(() => page.post({ kind: 'ready' }), (error) => page.post({ kind: 'failed', error: sendError(error, () => undefined) }));
    }

    /** Says what crosses of an answer, and lets its body follow. */
    function cross(response: Response, over?: () => void): WireResponse {
      const { body } = response;
      const stream = body ? ++last : undefined;
      const wire = sendResponse(response, adopt(), stream);
      if (stream === undefined) over?.();
      else {
        const end = () => {
          streams.delete(stream);
          over?.();
        };
        const source = pump(body as ReadableStream<Uint8Array<ArrayBuffer>>, {
          chunk: (bytes) => page.post({ kind: 'chunk', stream, bytes }),
          end: () => {
            end();
            page.post({ kind: 'end', stream });
          },
          broken: (cause) => {
            end();
            page.post({ kind: 'broken', stream, error: sendError(cause, () => undefined) });
          },
        });
        streams.set(stream, {
          ...source,
          cancel() {
            end();
            source.cancel();
          },
        });
      }
      return wire;
    }

    /** Does `work` with the arguments of `fetch`: in this turn, unless the body is to come. The page's `abort` reaches their signal. */
    async function withBody<T>(id: number, request: WireRequest, work: (url: string, init: RequestInit) => Promise<T>): Promise<T> {
      const { signal } = calls.get(id)!.abort;
      let later: Blob | undefined;
      if (typeof request.body === 'object' && 'later' in request.body) {
        later = await new Promise((resolve) => bodies.set(id, resolve));
        bodies.delete(id);
      }
      return work(...revive(request, later, signal));
    }

    function begin(id: number, request?: WireRequest): () => void {
      calls.set(id, { abort: new AbortController(), outlives: !request || request.init?.keepalive === true });
      return () => {
        calls.delete(id);
        ends.get(id)?.();
      };
    }

    async function send(manager: TokenManager, { id, request }: Of<'fetch'>): Promise<void> {
      const over = begin(id, request);
      try {
        check(request.url, request.init.method);
        const response = await withBody(id, request, manager.fetch);
        if (response.url) guard(response.url, undefined, response);
        page.post({ kind: 'response', id, response: cross(response, over) });
      } catch (error) {
        over();
        page.post({ kind: 'error', id, error: sendError(error, () => undefined) });
      }
    }

    async function call(manager: TokenManager, { id, method, request, tokens }: Of<'call'>): Promise<void> {
      const over = begin(id);
      const isLogin = method === 'login' || method === 'exchange';
      try {
        let value: unknown;
        if (method === 'logout') {
          leaving ??= page;
          if (!request) page.left = id;
        }
        if (request && (isLogin || method === 'logout')) {
          // It carries the token: to the APIs, or to whoever gives tokens out.
          if (method === 'exchange' && !isOwnOrigin(request.url)) among(request.url);
          if (isLogin) logins.add(endpoint(request.init.method, request.url));
          value = await withBody<unknown>(id, request, (...args) => {
            if (!isLogin) page.left = id;
            return manager[method](...args);
          });
        } else if (method === 'setTokens') await manager.setTokens(tokens!);
        else if (method === 'logout' || method === 'refresh' || method === 'known' || method === 'signedIn') await manager[method]();
        // The state crosses by itself, and before this.
        page.post({ kind: 'done', id, value: isLogin ? value : undefined });
      } catch (error) {
        // A refusal is the caller's to read; what came with success may hold what has been taken for no token.
        const answer = (response: Response) => (response.ok ? sendResponse(response, adopt(), undefined) : cross(response));
        page.post({ kind: 'error', id, error: sendError(error, request ? answer : (response) => sendResponse(response, adopt(), undefined)) });
      } finally {
        over();
        if (method === 'logout') {
          if (leaving === page) leaving = undefined;
          // The manager has not been told: what the page takes for signed out is not.
          if (page.left < id) {
            page.left = id;
            say(page, manager);
          }
        }
      }
    }

    function leave(isDisposed: boolean): void {
      for (const { abort, outlives } of calls.values()) if (!outlives) abort.abort();
      for (const stream of streams.values()) stream.cancel();
      pages.delete(page);
      look();
      port.close();
      for (const end of ends.values()) end();
      left?.(isDisposed, manager);
    }

    return {
      until: (call) => new Promise((resolve) => {
        const end = () => {
          ends.delete(call);
          resolve();
        };
        ends.get(call)?.();
        ends.set(call, end);
        setTimeout(() => calls.has(call) || end(), ANNOUNCED);
      }),
    };
  }

  function begun(): TokenManager {
    return (manager ??= start(settled as Settled));
  }

  /** Says who cannot be a call of the app's. */
  function check(url: string, method: string | undefined): void {
    among(url);
    guard(url, method);
  }

  function isOwnOrigin(url: string): boolean {
    const { origin } = new URL(url);
    return (settled as Settled).own.some((own) => new URL(own).origin === origin);
  }

  function among(url: string): void {
    if (!covers((settled as Settled).apis, new URL(url))) throw new TokenError('invalid-argument', 'request: the worker takes the token to nothing but `apis`.');
  }

  /** Whether tokens are answered there. */
  function givesTokens(url: string, method?: string): boolean {
    return (settled as Settled).own.includes(place(url)!) || logins.has(endpoint(method, url));
  }

  /** An answer that holds tokens is not for the page, whoever asks, and by whatever way. */
  function guard(url: string, method?: string, response?: Response): void {
    if (!givesTokens(url, method)) return;
    void response?.body?.cancel().catch(() => {});
    throw new TokenError('invalid-argument', 'request: this endpoint answers with tokens; it is for `login`, `exchange`, `refresh` and `logout`.');
  }

  /** Whether any page can be seen. */
  function look(): void {
    const visible = !pages.size || [...pages].some((page) => page.visible);
    if (visible === told.visible) return;
    told.visible = visible;
    shown(false);
  }

  if (!kept) told.mark = (key, text) => tell({ kind: 'mark', key, text });
  return {
    attend,
    begun,
    givesTokens,
    guard,
    /** The options, where they are known and good. */
    settled: () => (settled instanceof TokenError ? undefined : settled),
    /** Whether a page has come. */
    isVisited: () => pages.size > 0,
  };
}

/** The members of what a page says that are of the type they should be: the core is told nothing else. */
function only<T>(members: Record<string, T>, is: (value: unknown) => boolean): Record<string, T> {
  const copy = Object.create(null) as Record<string, T>;
  for (const name of Object.keys(members)) if (is(members[name])) copy[name] = members[name]!;
  return copy;
}

/** A method, and where it goes. */
function endpoint(method: string | undefined, url: string): string {
  return `${method?.toUpperCase()} ${place(url)}`;
}
