// The manager: a plain object of functions over the core. It settles every call, also where the core cannot: not loaded
// yet, never loaded, dead, disposed.

import { capture, locate, platform, type Place, type Places } from './call.js';
import { isTokenError, TokenError } from './error.js';
import { join, leave } from './instance.js';
import { PASS, WAIT, type Call, type Core, type Host } from './seam.js';
import { snapshot } from './snapshot.js';
import type { TokenManager, TokenState } from './types.js';

// Of a login or logout, unless the caller says otherwise.
const CREDENTIALS = { method: 'POST', credentials: 'include' };
// These URLs reach no server.
const LOCAL = /^(about|blob|data):/;

/** Where the compiled core comes from. Rejects with a `TokenError` that is `retryable` where another try may help. */
export type Load = () => Promise<WebAssembly.Module>;

/** See `createTokenManager`. Never throws. */
export function createManager(load: Load, options: unknown): TokenManager {
  let module: WebAssembly.Module | undefined;
  let core: Core | undefined;
  let header: string;
  /** Why no call can succeed any more. */
  let failure: TokenError | undefined;
  let starting: Promise<void> | undefined;
  let state: TokenState = Object.freeze({ status: 'unknown', claims: null, expiresAt: null });
  /** The authorization of the ticket it was last asked for. */
  let ticket: number | undefined;
  let authorization: string | undefined;
  const places: Places = { known: new Map() };
  /** Whether an answer of a status is the caller's. */
  const settled: boolean[] = [];
  /** Rejects what waits for the core. */
  const waiting = new Set<(error: TokenError) => void>();
  const events = typeof EventTarget === 'function' ? new EventTarget() : undefined;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;

  const host: Host = {
    error: (code, message, retryable, status, cause) => new TokenError(code, message, { retryable, status, cause }),
    state(snapshot) {
      state = snapshot;
      ticket = authorization = undefined;
    },
    emit(type, detail, error) {
      const name = { signout: 'reason', refresherror: '', stepup: 'challenges', change: '', refresh: 'answer' }[type];
      events?.dispatchEvent(Object.assign(new Event(type), name && { [name]: detail }, error && { error }));
    },
  };

  function fail(error: TokenError): TokenError {
    failure ??= error;
    if (module) leave(module, fail);
    module = core = ticket = authorization = undefined;
    for (const reject of waiting) reject(failure);
    waiting.clear();
    return failure;
  }

  /** Loads the core, once; again where the last try was given up as `retryable`. */
  function start(): Promise<void> {
    if (!starting) {
      starting = tracked(begin());
      starting.catch(() => {});
    }
    return starting;
  }

  async function begin(): Promise<void> {
    try {
      check();
      module = await load();
      check();
      const instance = join(module, fail);
      const Core = await instance.core;
      check();
      const made = new Core(options, base, host);
      // A listener may have disposed of the manager.
      if (failure) made.dispose();
      check();
      header = made.header;
      core = made;
    } catch (cause) {
      const error = isTokenError(cause) ? cause : notLoaded(cause);
      if (!error.retryable) throw fail(error);
      starting = undefined;
      throw error;
    }
  }

  function check(): void {
    if (failure) throw failure;
  }

  /** The same promise, but rejected if the core dies or is disposed. */
  function tracked<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      promise.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  }

  /** Does `work` with the core as soon as there is one. The caller's signal ends the wait. */
  function whenReady<T>(work: (core: Core) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    if (failure) return Promise.reject(failure);
    if (core) {
      try {
        return tracked(Promise.resolve(work(core)));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal!.reason ?? new DOMException('The operation was aborted.', 'AbortError'));
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort);
      start()
        .finally(() => signal?.removeEventListener('abort', abort))
        .then(() => signal?.aborted || resolve(whenReady(work)))
        .catch(reject);
    });
  }

  /** As the core says; its word on a URL is remembered. */
  function departs(core: Core, place: Place): number {
    if (place.covered === false) return PASS;
    const way = place.covered ? core.depart() : core.depart(place.url);
    place.covered = way !== PASS;
    return way;
  }

  /** Sends a call the way the core says. */
  function go(call: Call, core: Core, way = core.depart(call.url)): Promise<Response> {
    if (call.exempt || way === PASS || call.signal?.aborted) return call.send();
    return way === WAIT ? tracked(core.fetch(call)) : send(call, core, way);
  }

  function send(call: Call, core: Core, mine: number): Promise<Response> {
    if (mine !== ticket) {
      authorization = core.authorization(mine);
      ticket = mine;
    }
    const sent = authorization === undefined ? call.send() : call.send(header, authorization);
    // An answer that is here is the caller's, whatever has become of the manager.
    return sent.then((response) =>
      failure || (settled[response.status] ??= core.settles(mine, response.status))
        ? response
        : tracked(core.follow(call, mine, response)),
    );
  }

  /** For the calls that are no `fetch` but take its arguments. */
  function withCall<T>(args: unknown[], work: (core: Core, call: Call) => Promise<T>): Promise<T> {
    try {
      check();
      // Arguments that the platform refuses are refused by the platform.
      const call = args.length ? capture(locate(args[0]), args[1], CREDENTIALS) : platform();
      return 'send' in call ? whenReady((core) => work(core, call), call.signal) : (call as Promise<T>);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  const manager = {
    get ready() {
      return start();
    },
    get state() {
      return state;
    },
    // One named argument, and no constructor: as the platform's.
    fetch(input: unknown): Promise<Response> {
      const count = arguments.length;
      const init: unknown = arguments[1];
      try {
        check();
        const target = count ? locate(input, places) : undefined;
        if (!target || target.place.href === undefined || LOCAL.test(target.place.href)) return platform(...arguments);
        const { place } = target;
        const way = core && departs(core, place);
        if (way === PASS) return count < 2 ? platform(target.input) : platform(target.input, ...[...arguments].slice(1));
        const call = capture(target, init, undefined, !core || way === WAIT);
        if (!('send' in call)) return call;
        return core ? go(call, core, way) : whenReady((core) => go(call, core), call.signal);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    login: (...args: unknown[]) => withCall(args, (core, call) => core.login(call)),
    setTokens(tokens: unknown): Promise<void> {
      try {
        const copy = snapshot(tokens) as object;
        return whenReady((core) => core.setTokens(copy));
      } catch (cause) {
        return Promise.reject(new TokenError('invalid-argument', 'setTokens: the tokens could not be read.', { cause }));
      }
    },
    refresh: () => whenReady((core) => core.refresh()),
    logout: (...args: unknown[]) =>
      args[0] === undefined ? whenReady((core) => core.logout(undefined)) : withCall(args, (core, call) => core.logout(call)),
    getAccessToken: () => whenReady((core) => core.getAccessToken()),
    subscribe(listener: () => void) {
      const call = () => listener();
      events?.addEventListener('change', call);
      return () => events?.removeEventListener('change', call);
    },
    addEventListener: (...args: Parameters<EventTarget['addEventListener']>) => events?.addEventListener(...args),
    removeEventListener: (...args: Parameters<EventTarget['removeEventListener']>) => events?.removeEventListener(...args),
    dispose() {
      const live = core;
      try {
        live?.dispose();
      } finally {
        fail(new TokenError('disposed', 'The token manager was disposed.'));
      }
    },
  };
  if (Symbol.dispose) Object.defineProperty(manager, Symbol.dispose, { value: manager.dispose });

  try {
    options = snapshot(options);
  } catch (cause) {
    fail(new TokenError('invalid-option', 'The options could not be read.', { cause }));
  }
  // Without a page (rendering on a server) there may never be a call.
  if (globalThis.location) void start();
  return manager as unknown as TokenManager;
}

function notLoaded(cause: unknown): TokenError {
  const message =
    'The WebAssembly could not be loaded: ' +
    (cause instanceof Error ? cause.message : 'unknown reason') +
    ". (A Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src.)";
  return new TokenError('not-loaded', message, { cause });
}
