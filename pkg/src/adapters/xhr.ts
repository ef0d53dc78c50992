// XMLHttpRequest with the token, for upload progress and for libraries that use nothing else. An XMLHttpRequest fires events at each step,
// so the events of a refused sending are hidden from its listeners until it is clear whether the request is sent again.
//
// The request is sent again on the same platform object, so that `upload`, `timeout`, `responseType` and all listeners
// stay.

import { isTokenError, TokenError } from '../error.js'
import type { TokenManager, TokenManagerOptions } from '../types.js'
import { copy, type Body } from './body.js'
import { expectManager } from './manager.js'
import { target } from './target.js'
import { setTimer } from './timer.js'
import { firstToken, INCURABLE, newerToken } from './token.js'

/** The part of the manager that the class uses. */
type Manager = Pick<TokenManager, 'getAccessToken'>

/** The state of a request since `open`. Requests to other URLs have none. */
interface Call {
  readonly request: XMLHttpRequest
  readonly method: string
  readonly url: string
  /** The caller's header fields, in their order. */
  readonly fields: [name: string, value: string][]
  /** `'waiting'`: the caller has called `send`, and the request waits for a token. */
  phase: 'opened' | 'waiting' | 'sent' | 'over'
  body?: Body
  /** The token with which it was sent. */
  token?: string
  /** Whether this is the second sending. */
  isAgain?: boolean
  /** It was refused, and its events are hidden for now. */
  isHidden?: boolean
  /** The hidden events, each with the `readyState` at that time. */
  readonly unseen: [state: number, event: Event][]
  /** The `readyState` to show instead of the platform's. */
  shown?: number | undefined
  /** When the caller called `send`, and when the request left, by the monotonic clock. */
  began: number
  left: number
  timer?: ReturnType<typeof setTimeout> | undefined
}

const EVENTS = ['progress', 'abort', 'error', 'load', 'timeout', 'loadend']

// The members of a request that waits for its answer.
const NOTHING = {
  readyState: 1,
  status: 0,
  statusText: '',
  response: null,
  responseText: '',
  responseURL: '',
  responseXML: null,
  getResponseHeader: null,
  getAllResponseHeaders: '',
}

/**
 * Returns a replacement for the class `XMLHttpRequest`: give it to a library, or set `globalThis.XMLHttpRequest`. A request to one of
 * `apis` carries the token. If it is refused with a 401, the token is refreshed, once for all waiting requests, and the request is sent
 * once more; its listeners only see the second answer. `upload` reports the progress of both sendings. Requests to other URLs, and those
 * with an `Authorization` header or a user name, are left to the platform.
 *
 * `options`: the same `apis` and `attach` as the manager's. The manager needs `exposeToken: true`.
 *
 * If the token cannot be obtained because the server does not answer, the event `error` is fired, whose property `error` is the
 * {@link TokenError}. `timeout` counts from `send` to the end, including the wait for the token and the second sending. Opening a
 * synchronous request to one of `apis` throws a {@link TokenError} `invalid-argument`, because it cannot wait.
 */
export function createXMLHttpRequest(
  auth: Manager,
  options: Pick<TokenManagerOptions, 'apis' | 'attach'> = {},
): typeof XMLHttpRequest {
  expectManager(auth, 'createXMLHttpRequest')
  const { covered, header, value } = target('createXMLHttpRequest', options)
  // Under Node the class can be created at module scope, but not used.
  const Native =
    globalThis.XMLHttpRequest ??
    (class {
      constructor() {
        throw new TokenError('server', 'There is no XMLHttpRequest here.')
      }
    } as unknown as typeof XMLHttpRequest)
  const platform = Native.prototype
  /** The platform's `readyState`, not the one that the class shows. */
  const stateOf = (request: XMLHttpRequest) => Reflect.get(platform, 'readyState', request) as number
  const calls = new WeakMap<XMLHttpRequest, Call>()
  const uploads = new WeakMap<EventTarget, XMLHttpRequest>()
  /** The time-outs that callers set. The platform gets the time that is left of them. */
  const timeouts = new WeakMap<XMLHttpRequest, number>()
  /** The events that this class dispatches. */
  const own = new WeakSet<Event>()

  class Request extends Native {
    constructor(...args: []) {
      super(...args)
      // Added before all other listeners, so that hidden events can be stopped here.
      for (const type of [...EVENTS, 'readystatechange', 'loadstart'])
        super.addEventListener(type, hear.bind(undefined, this), true)
    }

    override open(method: string, url: string | URL, ...rest: unknown[]): void {
      const before = calls.get(this)
      // A user name counts as the caller's own `Authorization`.
      const href = (rest[1] ?? undefined) === undefined && covered(`${url}`)
      if (href) {
        if (rest.length && !rest[0])
          throw new TokenError('invalid-argument', 'open: a synchronous request cannot wait for a token.')
        calls.set(this, {
          request: this,
          method,
          url: href,
          fields: [],
          unseen: [],
          phase: 'opened',
          began: 0,
          left: 0,
        })
      } else calls.delete(this)
      try {
        super.open(...([method, url, ...rest] as [string, string, boolean]))
      } catch (error) {
        if (before) calls.set(this, before)
        throw error
      }
      clearTimeout(before?.timer)
      if (timeouts.has(this)) super.timeout = timeouts.get(this)!
    }

    override setRequestHeader(name: string, text: string): void {
      const call = calls.get(this)
      if (call) expectOpened(call)
      super.setRequestHeader(name, text)
      call?.fields.push([`${name}`, `${text}`])
    }

    override send(body?: Body): void {
      const call = calls.get(this)
      if (
        !call ||
        call.fields.some(([name]) => /^authorization$/i.test(name) || name.toLowerCase() === header.toLowerCase())
      )
        return super.send(body)
      expectOpened(call)
      call.body = copy(body)
      call.phase = 'waiting'
      call.began = performance.now()
      bound(call)
      tell(call, 'loadstart')
      if (!waits(call)) return
      firstToken(auth).then(
        (token) => waits(call) && leave(call, token),
        (error: unknown) => {
          if (!waits(call)) return
          const { code, retryable } = (isTokenError(error) ? error : {}) as Partial<TokenError>
          // A mistake of the app, such as a manager without `exposeToken`, must not look like a network error.
          if (!retryable && code !== 'session-changed')
            setTimeout(() => {
              throw error
            })
          fail(call, 'error', error)
        },
      )
    }

    override abort(): void {
      const call = calls.get(this)
      if (call?.phase === 'waiting') fail(call, 'abort')
      else {
        super.abort()
        if (call?.shown) call.shown = 0
      }
    }

    override get timeout(): number {
      return timeouts.get(this) ?? super.timeout
    }

    override set timeout(ms: number) {
      super.timeout = ms
      timeouts.set(this, super.timeout)
      const call = calls.get(this)
      if (call) bound(call)
    }
  }

  /** Whether the call still waits for its token. */
  function waits(call: Call): boolean {
    return calls.get(call.request) === call && call.phase === 'waiting'
  }

  /** Sets a timer for the rest of the call's time-out. */
  function bound(call: Call): void {
    clearTimeout(call.timer)
    const all = timeouts.get(call.request)
    if (!all) return
    if (call.phase === 'waiting')
      call.timer = setTimer(() => waits(call) && fail(call, 'timeout'), all - performance.now() + call.began)
    else if (call.phase === 'sent')
      Reflect.set(platform, 'timeout', Math.max(all - call.left + call.began, 1), call.request)
  }

  /** Sends the request to the server. */
  function leave(call: Call, token?: string): void {
    const { request } = call
    try {
      if (call.isAgain) {
        // Code that patches the prototype, such as zone.js, must see the first sending end.
        platform.abort.call(request)
        platform.open.call(request, call.method, call.url, true)
        for (const field of call.fields) platform.setRequestHeader.apply(request, field)
      }
      if (token !== undefined) {
        platform.setRequestHeader.call(request, header, value(token))
        call.token = token
        // A listener on `upload` causes a preflight, but so does the token.
        if (call.body) {
          uploads.set(request.upload, request)
          for (const type of EVENTS) request.upload.addEventListener(type, muffle, true)
        }
      }
      call.phase = 'sent'
      call.left = performance.now()
      call.isHidden = false
      bound(call)
      platform.send.call(request, call.body)
    } catch (error) {
      fail(call, 'error', error)
    }
  }

  /** Hides the end of an upload that will be sent again. */
  function muffle(event: Event): void {
    if (calls.get(uploads.get(event.currentTarget!)!)?.isHidden) event.stopImmediatePropagation()
  }

  /** Handles the platform's events before any other listener does. */
  function hear(request: XMLHttpRequest, event: Event): void {
    const call = calls.get(request)
    const { type } = event
    if (!call || call.phase === 'opened' || own.has(event)) return
    if (type === 'readystatechange' && stateOf(request) === 2 && isRefused(call)) renew(call)
    // `send` has already dispatched `loadstart`.
    if (!call.isHidden && type !== 'loadstart') return
    event.stopImmediatePropagation()
    if (call.isHidden) call.unseen.push([stateOf(request), event])
  }

  function isRefused(call: Call): boolean {
    const { request, phase, token, isAgain } = call
    return (
      phase === 'sent' &&
      !!token &&
      !isAgain &&
      request.status === 401 &&
      !INCURABLE.test(request.getAllResponseHeaders())
    )
  }

  /** Asks for a newer token than the refused one. The refusal is kept, hidden, in case there is no newer token. */
  function renew(call: Call): void {
    call.isHidden = call.isAgain = true
    call.phase = 'waiting'
    bound(call)
    // Do this in a task of its own: in the middle of an answer, Chromium would append the rest of it to the next answer. Delay the
    // question rather than the sending, because another user could sign in between getting the token and sending it.
    setTimeout(
      () =>
        waits(call) &&
        newerToken(auth, call.token!, call.url).then(
          (token) => waits(call) && (token === undefined ? deliver(call) : leave(call, token)),
          // In an outage, delivering the 401 would look like the end of the session.
          (error: unknown) => waits(call) && fail(call, 'error', error),
        ),
    )
  }

  /** Delivers the refusal to the caller: dispatches the hidden events. The platform dispatches those that are still to come. */
  function deliver(call: Call): void {
    call.phase = 'sent'
    call.isHidden = false
    bound(call)
    for (const [state, event] of call.unseen) {
      call.shown = state
      tell(call, event.type, event)
    }
    call.shown = undefined
  }

  /** The request error steps (XMLHttpRequest Standard, section 3.5.6), for a call that ends while the platform is not sending. */
  function fail(call: Call, type: string, error?: unknown): void {
    const { request } = call
    clearTimeout(call.timer)
    call.isHidden = true
    call.phase = 'over'
    platform.abort.call(request)
    call.isHidden = false
    call.shown = 4
    tell(call, 'readystatechange')
    tell(call, type, undefined, error)
    tell(call, 'loadend')
    if (type === 'abort') call.shown = 0
  }

  /** Dispatches an event to the request's listeners, unless one of them has begun another call on the same object. */
  function tell(call: Call, type: string, as: Partial<ProgressEvent> = {}, error?: unknown): void {
    if (calls.get(call.request) !== call) return
    const { lengthComputable = false, loaded = 0, total = 0 } = as
    const event =
      type === 'readystatechange' ? new Event(type) : new ProgressEvent(type, { lengthComputable, loaded, total })
    own.add(event)
    call.request.dispatchEvent(error === undefined ? event : Object.assign(event, { error }))
  }

  // While an answer is hidden, its members look as if there were none yet.
  for (const [name, none] of Object.entries(NOTHING)) {
    const { get: read, value: method } = Object.getOwnPropertyDescriptor(platform, name) ?? {}
    const value = function (this: XMLHttpRequest, ...args: unknown[]): unknown {
      const { isHidden, shown } = calls.get(this) ?? {}
      if (name === 'readyState' && shown !== undefined) return shown
      if (!isHidden) return (read ?? method).apply(this, args)
      return name === 'response' && /^(text)?$/.test(this.responseType) ? '' : none
    }
    Object.defineProperty(Request.prototype, name, {
      configurable: true,
      enumerable: true,
      ...(read ? { get: value } : { value, writable: true }),
    })
  }
  return Request
}

function expectOpened({ phase }: Call): void {
  if (phase !== 'opened') throw new DOMException('The state must be OPENED.', 'InvalidStateError')
}
