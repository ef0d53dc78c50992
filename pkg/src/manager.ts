// The manager: a plain object of functions over the core. It settles every call, even if the core cannot because it is
// not loaded yet, failed to load, crashed or was disposed.

import { cameBack, isBack, markOwn } from '#fetch'
import { ownBase } from './base.js'
import { address, capture, captureOwn, CREDENTIALS, locate, LOCAL, platform, transmitted, type Place } from './call.js'
import { isTokenError, TokenError } from './error.js'
import { join, leave } from './instance.js'
import { createEvents, isEvent } from './events.js'
import { isObject } from './object.js'
import { createPlaces } from './places.js'
import { PASS, WAIT, type Call, type Core, type Guard, type Host, type Watch } from './core-interface.js'
import { snapshot } from './snapshot.js'
import { UNKNOWN } from './state.js'
import type { TokenManager, TokenState } from './types.js'

/** Loads the compiled core. Rejects with a `TokenError` that is `retryable` if another attempt may help. */
export type Load = () => Promise<WebAssembly.Module>

/** See `createTokenManager`. Never throws. */
export function createManager(load: Load, options: unknown): TokenManager {
  let module: WebAssembly.Module | undefined
  let core: Core | undefined
  let header: string
  /** The reason why all further calls fail. */
  let failure: TokenError | undefined
  let starting: Promise<void> | undefined
  let state: TokenState = UNKNOWN
  /** The last ticket and its authorization, cached. */
  let ticket: number | undefined
  let authorization: string | undefined
  const places = createPlaces()
  /** Cached by status: whether the answer goes to the caller without further checks. */
  const settled: boolean[] = []
  /** Rejects the promises that wait for the core. */
  const waiting = new Set<(error: TokenError) => void>()
  const events = createEvents()
  /** Dispatches the events that have happened. */
  const happened: (() => void)[] = []
  let dispatching = false
  let guard: Guard | undefined
  /** The observer, if the inspector is in use. */
  let watch: Watch | undefined
  const base = ownBase()

  const host: Host = {
    error: (code, message, retryable, status, cause) => new TokenError(code, message, { retryable, status, cause }),
    state(snapshot) {
      // A disposed manager changes no more.
      if (failure) return
      state = snapshot
      ticket = authorization = undefined
      happened.push(() => events.dispatch('change', {}))
    },
    emit(type, detail, error) {
      const name = { signout: 'reason', refresherror: '', stepup: 'challenges', refresh: 'answer' }[type]
      happened.push(() => events.dispatch(type, { ...(name && { [name]: detail }), ...(error && { error }) }))
    },
    dispatch() {
      // One event after the other, even if a listener causes the next.
      if (dispatching) return
      dispatching = true
      for (const dispatch of happened) if (!failure) dispatch()
      happened.length = 0
      dispatching = false
    },
  }

  function fail(error: TokenError): TokenError {
    failure ??= error
    if (module) leave(module, fail)
    module = core = guard = ticket = authorization = undefined
    for (const reject of waiting) reject(failure)
    waiting.clear()
    return failure
  }

  /** Loads the core once; again only if the last attempt failed with a `retryable` error. */
  function start(): Promise<void> {
    if (!starting) {
      starting = tracked(begin())
      starting.catch(() => {})
    }
    return starting
  }

  async function begin(): Promise<void> {
    try {
      check()
      module = await load()
      check()
      const instance = join(module, fail)
      const Core = await instance.core
      check()
      const made = new Core(options, base, host)
      // A listener may have disposed the manager.
      if (failure) {
        made.dispose()
        made.free()
      }
      check()
      header = made.header
      if (made.guards) guard = (url, method) => made.redirects(url, method)
      core = made
    } catch (cause) {
      const error = isTokenError(cause) ? cause : notLoaded(cause)
      if (!error.retryable) throw fail(error)
      starting = undefined
      throw error
    }
  }

  function check(): void {
    if (failure) throw failure
  }

  /** The same promise, but rejected if the core dies or is disposed. */
  function tracked<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.add(reject)
      promise.then(resolve, reject).finally(() => waiting.delete(reject))
    })
  }

  /** Runs `work` as soon as the core is loaded. The caller's signal ends the wait. */
  function whenReady<T>(work: (core: Core) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    if (failure) return Promise.reject(failure)
    if (core) {
      try {
        return tracked(Promise.resolve(work(core)))
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal!.reason ?? new DOMException('The operation was aborted.', 'AbortError'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      start()
        .finally(() => signal?.removeEventListener('abort', abort))
        .then(() => signal?.aborted || resolve(whenReady(work)))
        .catch(reject)
    })
  }

  /** Asks the core, and remembers its answer for the URL. */
  function departs(core: Core, place: Place): number {
    // A query decides only if the token is a URL parameter.
    const known = header[0] === '?' ? place : (place.path ?? place)
    if (known.covered === false) return PASS
    const way = known.covered ? core.depart() : core.depart(known.url)
    known.covered = way !== PASS
    return way
  }

  /** Tells the observer the URL without its query, which may hold a secret. */
  const look = (url: string, way: number | undefined, method?: string) => watch?.(url.split('?')[0]!, way, method)

  /** Sends a call as the core decided. */
  function go(call: Call, core: Core, way = core.depart(call.url)): Promise<Response> {
    const told = look(call.url, call.exempt ? undefined : way, call.method)
    if (told) {
      const { send } = call
      call.send = (...headers) => tell(send(...headers), told(!!headers[0]))
    }
    let answer
    if (call.exempt || way === PASS || call.signal?.aborted) answer = call.send()
    else {
      call.guard = guard
      answer = way === WAIT ? tracked(core.fetch(call)) : send(call, core, way)
    }
    return tell(answer, told?.())
  }

  function send(call: Call, core: Core, mine: number): Promise<Response> {
    const value = authorize(core, mine)
    return deliver(value === undefined ? call.send() : call.send(header, value), core, mine, () => call)
  }

  /** The token for a ticket, as the value of the header field. */
  function authorize(core: Core, mine: number): string | undefined {
    if (mine !== ticket) {
      authorization = core.authorization(mine)
      ticket = mine
    }
    return authorization
  }

  /** Hands an answer to the caller, if the core need not see it. Otherwise the core gets the call, too. */
  function deliver(sent: Promise<Response>, core: Core, mine: number, call: () => Call): Promise<Response> {
    // Deliver an answer that has arrived, even if the manager has failed or was disposed meanwhile.
    return sent.then((response) => {
      const status = statusOf(response)
      return failure || status === undefined || (settled[status] ??= core.settles(status))
        ? response
        : tracked(core.follow(call(), mine, response))
    })
  }

  /** For login, exchange and logout, which take the arguments of `fetch`. Only the core sends them. */
  function withCall<T>(
    name: string,
    [input, init]: unknown[],
    work: (core: Core, call: Call) => Promise<T>,
  ): Promise<T> {
    try {
      check()
      const target = address(input)
      if (!target)
        throw new TokenError(
          'invalid-argument',
          `${name}: takes a string, a URL or a Request, as fetch does. Nothing was sent.`,
        )
      const call = captureOwn(target, init, CREDENTIALS)
      return whenReady((core) => {
        call.guard = guard
        return work(core, call)
      }, call.signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  const manager = {
    get ready() {
      return start()
    },
    get state() {
      return state
    },
    // Like the platform's `fetch`: one named parameter, and not a constructor.
    fetch(input: unknown): Promise<Response> {
      const init: unknown = arguments[1]
      try {
        check()
        const target = arguments.length ? locate(input, places) : undefined
        if (!target) return platform('', ...arguments)
        const { place } = target
        // A manager has already sent this call, and a wrapper of the page's `fetch` passed it to this one.
        const isOnItsWay =
          place.href === undefined || (!place.covered && LOCAL.test(place.href)) || isBack(place.url, input, init)
        const way = isOnItsWay ? PASS : core && departs(core, place)
        if (way === PASS) {
          const answer = platform(place.url, target.input, ...[...arguments].slice(1))
          return tell(answer, isOnItsWay ? undefined : look(place.url, way)?.())
        }
        // The usual call is a URL and nothing else. Its snapshot is only made for a second sending.
        if (init === undefined && core && way! >= 0 && !target.request && !guard && !watch && header[0] !== '?') {
          const value = authorize(core, way!)
          const headers = value === undefined ? {} : { [header]: value }
          const sent = transmitted(place.url, place.href!, { headers })
          return deliver(sent, core, way!, () => capture(target, init) as Call)
        }
        const call = capture(target, init, !core || way === WAIT)
        if (!('send' in call)) return call
        // Recognised by its token, which only the managers have.
        if (authorization !== undefined && call.authorization === authorization) cameBack()
        return core ? go(call, core, way) : whenReady((core) => go(call, core), call.signal)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    login: (...args: unknown[]) => withCall('login', args, (core, call) => core.login(call, false)),
    exchange: (...args: unknown[]) => withCall('exchange', args, (core, call) => core.login(call, true)),
    signedIn: () => whenReady((core) => core.signedIn()),
    setTokens(tokens: unknown): Promise<void> {
      try {
        check()
        const copy = snapshot(tokens) as object
        return whenReady((core) => core.setTokens(copy))
      } catch (cause) {
        return Promise.reject(
          failure ?? new TokenError('invalid-argument', 'setTokens: the tokens could not be read.', { cause }),
        )
      }
    },
    refresh: () => whenReady((core) => core.refresh(false)),
    logout: (...args: unknown[]) =>
      // `onClick={auth.logout}` passes an event.
      args[0] === undefined || isEvent(args[0])
        ? whenReady((core) => core.logout(undefined))
        : withCall('logout', args, (core, call) => core.logout(call)),
    known: () => whenReady((core) => core.refresh(true)).then(() => state),
    getAccessToken(about: unknown = {}): Promise<string> {
      try {
        const { refused, by } = snapshot(about) as { refused?: unknown; by?: unknown }
        const place = by === undefined ? undefined : address(by)?.place
        if (
          typeof about === 'object' &&
          (refused === undefined || typeof refused === 'string') &&
          (by === undefined || place)
        )
          return whenReady((core) => core.getAccessToken(refused, place?.url))
      } catch {
        // The argument is null, or one of its getters threw.
      }
      return Promise.reject(
        failure ??
          new TokenError(
            'invalid-argument',
            'getAccessToken: takes { refused, by }: the token that was refused, and the URL that refused it.',
          ),
      )
    },
    peekAccessToken: () => core?.peekAccessToken(),
    subscribe: events.subscribe,
    addEventListener: events.add,
    removeEventListener: events.remove,
    // For `tokenkeep/inspector`. This reveals less than what a script can see anyway by wrapping the page's `fetch`.
    [Symbol.for('tokenkeep.watch')]: (watcher: Watch | undefined) => void (watch = watcher),
    dispose() {
      const live = core
      try {
        live?.dispose()
      } finally {
        fail(new TokenError('disposed', 'The token manager was disposed.'))
        // Not in this turn, because the core itself may be the caller.
        if (live) void Promise.resolve().then(() => live.free())
      }
    },
  }
  if (Symbol.dispose) Object.defineProperty(manager, Symbol.dispose, { value: manager.dispose })

  markOwn(manager.fetch)

  // On a server, all users would share one manager.
  if (!globalThis.location)
    fail(new TokenError('server', 'There is no page: on a server, all users would share a token. Nothing was sent.'))
  else
    try {
      options = snapshot(options)
    } catch (cause) {
      fail(new TokenError('invalid-option', 'The options could not be read.', { cause }))
    }
  if (!failure) void start()
  return manager as unknown as TokenManager
}

/** Reports the end of a call: only the status of an answer, or the name and the code of an error. */
function tell(answer: Promise<Response>, done?: ReturnType<ReturnType<Watch>>): Promise<Response> {
  if (done)
    answer
      .then(statusOf)
      .then(done, ({ name, code }) => done(undefined, name, code))
      .catch(() => done())
  return answer
}

/** The status of an answer, if it can be read: the answer may be from another realm or a mock. */
function statusOf(response: unknown): number | undefined {
  if (!isObject(response)) throw new TokenError('bad-fetch', "The page's patched fetch did not return a Response.")
  try {
    const { status } = response as Response
    return typeof status === 'number' ? status : undefined
  } catch {
    return
  }
}

function notLoaded(cause: unknown): TokenError {
  const message = cause instanceof Error ? cause.message : ''
  const why =
    typeof WebAssembly !== 'object'
      ? 'there is no WebAssembly here'
      : /unsafe-eval|content.security.policy|\bCSP\b/i.test(message)
        ? "the Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src"
        : typeof DecompressionStream !== 'function' && cause instanceof ReferenceError
          ? 'there is no DecompressionStream here; use tokenkeep/file, which needs none'
          : cause instanceof WebAssembly.CompileError || cause instanceof WebAssembly.LinkError
            ? `these are not its bytes (${message})`
            : message || 'unknown reason'
  return new TokenError('not-loaded', `The WebAssembly could not be loaded: ${why}.`, { cause })
}
