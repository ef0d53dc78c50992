// The page's side: a manager whose core is at the other end of a port. Calls are read synchronously. Calls made before
// the worker has started are queued, and sent in order.

import { isBack, markOwn, transmit } from '#fetch'
import { address, CREDENTIALS, locate, LOCAL, platform, type Place } from '../call.js'
import { covers, type Api } from '../covers.js'
import { TokenError } from '../error.js'
import { createEvents, isEvent } from '../events.js'
import { frozen } from '../frozen.js'
import { snapshot } from '../snapshot.js'
import { UNKNOWN } from '../state.js'
import type { TokenManager, TokenState, Tokens } from '../types.js'
import { crossingOptions } from './crossing.js'
import { receiveError } from './errors.js'
import { isMark, mark, marks, mayBeSignIn, teller } from './facts.js'
import { openHome, unavailable, type Home } from './home.js'
import { VERSION, type Method, type ToPage, type ToWorker, type WireResponse } from './messages.js'
import type { Isolation, ServiceWorkerSource, WorkerSource } from './page.js'
import { describe, type Described } from './request.js'
import { inlet, receiveResponse, type Inlet } from './response.js'

/** Each home may fall back to the ones before it. */
const HOMES: Isolation[] = ['worker', 'shared-worker', 'service-worker']

/** How long the worker may take to start, in milliseconds. */
const PATIENCE = 30_000

/** A call that waits for its response, or for the end of the response body. */
interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
  /** Stops listening to the caller's signal. */
  over(): void
  /** Breaks off the response body. */
  breaks?: (cause: unknown) => void
}

/** See `createTokenManager`. Never throws. */
export function createIsolated(given: unknown): TokenManager {
  const events = createEvents()
  const pending = new Map<number, Pending>()
  const inlets = new Map<number, Omit<Inlet, 'body'>>()
  /** Calls that wait for the worker, in order. None is sent if an option is invalid. Undefined after that. */
  let queue: (() => void)[] | undefined = []
  let state: TokenState = UNKNOWN
  /** The error of every further call. */
  let failure: TokenError | undefined
  let port: MessagePort | undefined
  /** Who may receive the token. Undefined until the worker has sent it. */
  let apis: readonly Api[] | undefined
  let facts: ReturnType<typeof teller> | undefined
  let last = 0
  /** The id of the last logout call. */
  let left = 0
  let becomesReady!: () => void
  let fails!: (error: unknown) => void
  const ready = new Promise<void>((resolve, reject) => {
    becomesReady = resolve
    fails = reject
  })
  ready.catch(() => {})
  // A body that is garbage-collected unread must not hold its connection forever.
  const dropped =
    typeof FinalizationRegistry === 'function'
      ? new FinalizationRegistry((stream: number) => inlets.has(stream) && post({ kind: 'cancel', stream }))
      : undefined

  function fail(error: TokenError): TokenError {
    failure ??= error
    queue = undefined
    facts?.stop()
    removeEventListener('pagehide', leave)
    for (const { reject, over } of pending.values()) {
      over()
      reject(failure)
    }
    for (const { broken } of inlets.values()) broken(failure)
    pending.clear()
    inlets.clear()
    fails(failure)
    port?.close()
    port = undefined
    return failure
  }

  function check(): void {
    if (failure) throw failure
  }

  function post(message: ToWorker, transfer: Transferable[] = []): void {
    // The call may depend on the current facts.
    if (message.kind === 'fetch' || message.kind === 'call') facts?.tell()
    port?.postMessage(message, transfer)
  }

  function leave({ persisted }: { persisted: boolean }): void {
    if (!persisted) post({ kind: 'bye', disposed: false })
  }

  function begin(): void {
    const { isolation, worker, fallback, ...options } = snapshot(given) as Record<string, unknown>
    const rank = HOMES.indexOf(isolation as Isolation)
    if (rank < 0) throw invalid(`option \`isolation\` takes '${HOMES.join("', '")}'; for 'page', import \`tokenkeep\`.`)
    if (fallback !== undefined && !HOMES.slice(0, rank).includes(fallback as Isolation))
      throw invalid('option `fallback` has no such value for this `isolation`.')
    const isAttached = rank === 2
    if (worker === undefined ? isAttached : typeof worker !== 'string' && typeof worker !== 'function')
      throw invalid('option `worker` takes a URL, or a function that starts a worker.')
    const { options: crossing, name } = crossingOptions(options)
    const blocked = blockedBy()
    let late: ReturnType<typeof setTimeout> | undefined
    const wait = () => (late ??= setTimeout(() => fail(unavailable('it did not answer')), PATIENCE))
    const started = () => {
      clearTimeout(late)
      blocked.stop()
    }
    // The event does not say why. The event of the Content-Security-Policy does, and comes in the same turn or the
    // next.
    const lost = (event: unknown) =>
      setTimeout(() => {
        if (apis || failure) return
        started()
        fail(unavailable(blocked.why() ?? ((event as ErrorEvent).message || 'its script did not load or run'), event))
      })
    const enter = (home: Home) => {
      if (failure) return home.port.close()
      home.onLost(lost)
      ;({ port } = home)
      wait()
      port.onmessage = ({ data }: MessageEvent<ToPage>) => {
        if (data.kind === 'welcome' || data.kind === 'failed') started()
        hear(data)
      }
      post({ kind: 'hello', version: VERSION, options: crossing, marks: marks(), maybeSignIn: mayBeSignIn() })
    }
    const open = (isolation: unknown, source?: WorkerSource) =>
      enter(openHome(isolation as Isolation, source, name, fallback === 'worker'))
    if (isAttached) {
      wait()
      import('./attached.js')
        .then(({ attach }) => attach(worker as ServiceWorkerSource, crossing, unavailable))
        .then(enter)
        .catch((cause) => (fallback ? open(fallback) : lost(cause)))
        .catch(fail)
    } else open(isolation, worker as WorkerSource | undefined)
    addEventListener('pagehide', leave)
  }

  function hear(message: ToPage): void {
    const { kind } = message
    if (kind === 'welcome') {
      ;({ apis } = message)
      // Another life of the worker sends it again.
      facts?.stop()
      facts = teller(message.cookies, post)
      facts.tell()
    } else if (kind === 'ready') {
      becomesReady()
      const waiting = queue!
      queue = undefined
      for (const work of waiting) work()
    } else if (kind === 'failed') fail(receiveError(message.error, answer) as TokenError)
    else if (kind === 'state') {
      // The response that changed the state may have set a cookie.
      facts?.tell()
      // Ignore a state that the worker sent before it knew of this page's logout.
      if (message.left >= left) become(message.state)
    } else if (kind === 'event')
      events.dispatch(message.type, {
        ...frozen(message.members),
        ...(message.error && { error: receiveError(message.error, answer) }),
      })
    else if (kind === 'mark') {
      if (isMark(message.key)) mark(message.key, message.text)
    } else if ('stream' in message) {
      const into = inlets.get(message.stream)
      if (kind === 'chunk') return into?.chunk(message.bytes)
      inlets.delete(message.stream)
      if (kind === 'end') into?.end()
      else if (kind === 'broken') into?.broken(receiveError(message.error, answer))
    } else settle(message)
  }

  function become(next: TokenState): void {
    if (next.status === 'signed-out' && state.status === next.status) return
    state = frozen(next)
    events.dispatch('change', {})
  }

  /** Settles a call with the worker's answer. */
  function settle(message: Extract<ToPage, { id: number }>): void {
    const { id } = message
    const call = pending.get(id)
    if (!call) {
      // The caller has aborted the call.
      if (message.kind === 'response' && message.response.stream !== undefined)
        post({ kind: 'cancel', stream: message.response.stream })
      return
    }
    pending.delete(id)
    if (message.kind === 'response') call.resolve(answer(message.response, call))
    else {
      call.over()
      if (message.kind === 'done') call.resolve(message.value)
      else call.reject(receiveError(message.error, answer))
    }
  }

  /** Rebuilds the `Response`. The caller's signal also aborts its body. */
  function answer(wire: WireResponse, call?: Pending): Response {
    const { stream } = wire
    if (stream === undefined) {
      call?.over()
      return receiveResponse(wire)
    }
    const into = inlet(
      () => post({ kind: 'pull', stream }),
      () => {
        inlets.delete(stream)
        call?.over()
        post({ kind: 'cancel', stream })
      },
    )
    const { body, ...ends } = into
    if (call) call.breaks = ends.broken
    inlets.set(stream, {
      ...ends,
      end() {
        call?.over()
        ends.end()
      },
    })
    dropped?.register(body, stream)
    return receiveResponse(wire, into)
  }

  /**
   * Sends a call once the worker is ready, and waits for its answer. If `away` returns a promise then, that is the
   * answer, and nothing is sent.
   */
  function ask<T>(
    message: (id: number) => ToWorker,
    described?: Described,
    away?: () => Promise<T> | undefined,
  ): Promise<T> {
    const { signal, transfer, later } = described ?? {}
    return new Promise<unknown>((resolve, reject) => {
      const reason = () => signal!.reason ?? new DOMException('The operation was aborted.', 'AbortError')
      if (signal?.aborted) return reject(reason())
      const id = ++last
      const torn = () => {
        pending.delete(id)
        call.over()
        call.breaks?.(reason())
        reject(reason())
        if (!queue) post({ kind: 'abort', id })
      }
      const call: Pending = { resolve, reject, over: () => signal?.removeEventListener('abort', torn) }
      signal?.addEventListener('abort', torn)
      pending.set(id, call)
      const work = () => {
        if (!pending.has(id)) return
        const other = away?.()
        try {
          if (other) {
            pending.delete(id)
            call.over()
            return resolve(other)
          }
          const sent = message(id)
          post(sent, transfer)
          // The user is signed out at once, whether the logout call succeeds or not.
          if (sent.kind === 'call' && sent.method === 'logout') {
            left = id
            become({ ...UNKNOWN, status: 'signed-out' })
          }
          // The platform reads the body. If it fails, the call ends.
          if (later)
            later().then(
              (body) => post({ kind: 'body', id, body }),
              (cause) => {
                post({ kind: 'abort', id })
                settleWith(id, cause)
              },
            )
        } catch (cause) {
          settleWith(id, cause)
        }
      }
      if (queue) queue.push(work)
      else work()
    }) as Promise<T>
  }

  function settleWith(id: number, cause: unknown): void {
    const call = pending.get(id)
    pending.delete(id)
    call?.over()
    call?.reject(cause)
  }

  const isCovered = (place: Place) => (place.covered ??= covers(apis!, new URL(place.url)))

  function call<T>(method: Method, more?: { tokens?: Tokens }): Promise<T> {
    return failure ? Promise.reject(failure) : ask<T>((id) => ({ kind: 'call', id, method, ...more }))
  }

  /** Calls a method that takes the arguments of `fetch`. */
  function withRequest<T>(method: Method, [input, init]: unknown[]): Promise<T> {
    try {
      check()
      const target = address(input)
      if (!target)
        throw new TokenError('invalid-argument', `${method}: takes a string, a URL or a Request. Nothing was sent.`)
      const described = describe<never>(target, init, CREDENTIALS, (cause) => {
        throw cause
      })
      return ask((id) => ({ kind: 'call', id, method, request: described.wire }), described)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  const hidden = () => new TokenError('not-exposed', 'The access token does not leave the worker that keeps it.')

  const manager = {
    ready,
    get state() {
      return state
    },
    // Like the platform's `fetch`, it has one named argument and is not a constructor.
    fetch(input: unknown): Promise<Response> {
      const init: unknown = arguments[1]
      try {
        check()
        const target = arguments.length ? locate(input) : undefined
        if (!target) return platform('', ...arguments)
        const { place } = target
        if (
          place.href === undefined ||
          LOCAL.test(place.href) ||
          isBack(place.url, input, init) ||
          (!queue && !isCovered(place))
        )
          return platform(place.url, target.input, ...[...arguments].slice(1))
        // The platform reports invalid arguments.
        const described = describe(target, init, {}, (_, ...args) => platform(place.url, ...args))
        if (!('wire' in described)) return described
        const away = () => transmit(place.url, described.args, true) as Promise<Response>
        if (described.exempt) return away()
        return ask(
          (id) => ({ kind: 'fetch', id, request: described.wire }),
          described,
          () => (isCovered(place) ? undefined : away()),
        )
      } catch (error) {
        return Promise.reject(error)
      }
    },
    login: (...args: unknown[]) => withRequest('login', args),
    exchange: (...args: unknown[]) => withRequest('exchange', args),
    signedIn: () => call<void>('signedIn'),
    setTokens(tokens: unknown): Promise<void> {
      try {
        check()
        return call('setTokens', { tokens: snapshot(tokens) as Tokens })
      } catch (cause) {
        return Promise.reject(
          failure ?? new TokenError('invalid-argument', 'setTokens: the tokens could not be read.', { cause }),
        )
      }
    },
    refresh: () => call<void>('refresh'),
    // `onClick={auth.logout}` passes an event.
    logout: (...args: unknown[]) =>
      args[0] === undefined || isEvent(args[0]) ? call<void>('logout') : withRequest<void>('logout', args),
    known: () => call<void>('known').then(() => state),
    getAccessToken: () => Promise.reject(failure ?? hidden()),
    peekAccessToken() {
      throw failure ?? hidden()
    },
    subscribe: events.subscribe,
    addEventListener: events.add,
    removeEventListener: events.remove,
    dispose() {
      if (port) post({ kind: 'bye', disposed: true })
      fail(new TokenError('disposed', 'The token manager was disposed.'))
    },
  }
  if (Symbol.dispose) Object.defineProperty(manager, Symbol.dispose, { value: manager.dispose })
  markOwn(manager.fetch)

  // On a server, all users would share one manager.
  if (!globalThis.location)
    fail(new TokenError('server', 'There is no page: on a server, all users would share a token. Nothing was sent.'))
  else
    try {
      begin()
    } catch (cause) {
      fail(cause instanceof TokenError ? cause : invalid('The options could not be read.', cause))
    }
  return manager as unknown as TokenManager
}

function invalid(message: string, cause?: unknown): TokenError {
  return new TokenError('invalid-option', message, { cause })
}

/** Listens for a Content-Security-Policy violation that blocks the worker. Call `stop` when done. */
function blockedBy(): { why(): string | undefined; stop(): void } {
  let directive: string | undefined
  const { document } = globalThis
  const hear = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
    if (/^(worker|child|script|default)-src/.test(effectiveDirective)) directive = effectiveDirective
  }
  document?.addEventListener('securitypolicyviolation', hear)
  return {
    why: () => directive && `the Content-Security-Policy must allow its script in ${directive}`,
    stop: () => document?.removeEventListener('securitypolicyviolation', hear),
  }
}
