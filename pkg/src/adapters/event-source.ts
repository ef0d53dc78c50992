// EventSource over `fetch`, because the platform's EventSource cannot send headers. Server-sent events follow the HTML Standard,
// section 9.2, and the parser follows its steps. It is written here because a library would be this package's first dependency.

import { pageBase } from '../base.js'
import { isTokenError, TokenError } from '../error.js'
import type { TokenManager, TokenManagerOptions } from '../types.js'
import { later, untilSessionEnds } from './again.js'

// The browsers' usual reconnection time, and the longest pause, in milliseconds.
const RETRY = 3000
const LONGEST = 30_000

type Handler = ((event: Event) => void) | null

/**
 * Returns a replacement for the class `EventSource` that connects through `auth.fetch`: requests to one of the manager's `apis` carry the token,
 * and a refused one causes one refresh. A connection that ends is reopened as the standard says, with `Last-Event-ID`, after the time that the
 * server set with `retry`. If that fails, the pauses grow, and while the browser is offline it waits. Any status except 200 and any other
 * content type close the connection for good, as do the end of the session and another user's login: then `readyState` is `CLOSED` in the event
 * `error`, whose property `error` is the {@link TokenError}, if there was one.
 *
 * `options`: the same `subject` as the manager's; default `sub`, or else `user_id`. If a token does not name its user, any login closes the
 * connection.
 */
export function createEventSource(
  auth: Pick<TokenManager, 'fetch' | 'state' | 'addEventListener' | 'removeEventListener'>,
  { subject }: Pick<TokenManagerOptions, 'subject'> = {},
): typeof EventSource {
  if (typeof auth?.fetch !== 'function' || typeof auth.addEventListener !== 'function')
    throw new TokenError('invalid-argument', 'createEventSource: takes a manager that createTokenManager returns.')

  class Source extends EventTarget {
    static readonly CONNECTING = 0
    static readonly OPEN = 1
    static readonly CLOSED = 2
    readonly CONNECTING = 0
    readonly OPEN = 1
    readonly CLOSED = 2
    readonly url: string
    readonly withCredentials: boolean
    readonly readyState: number = 0
    onopen: Handler = null
    onmessage: Handler = null
    onerror: Handler = null
    readonly close: () => void

    constructor(url: string | URL, { withCredentials = false }: EventSourceInit = {}) {
      super()
      for (const type of ['open', 'message', 'error'] as const)
        this.addEventListener(type, (event) => this[`on${type}`]?.call(this, event))
      try {
        this.url = new URL(url, pageBase()).href
      } catch {
        throw new DOMException('EventSource: the URL is not valid.', 'SyntaxError')
      }
      this.withCredentials = !!withCredentials

      const stop = new AbortController()
      let retry = RETRY
      /** The last event ID of the stream, and the one that was last dispatched. */
      let id = ''
      let lastEventId = ''
      let failures = 0
      let callOff = () => {}
      const become = (state: number) => ((this as { readyState: number }).readyState = state)
      const isClosed = () => this.readyState === Source.CLOSED
      const tell = (event: Event) => isClosed() || this.dispatchEvent(event)

      this.close = () => {
        become(Source.CLOSED)
        forget()
        callOff()
        stop.abort()
      }
      const fail = (error?: unknown) => {
        if (isClosed()) return
        this.close()
        this.dispatchEvent(Object.assign(new Event('error'), isTokenError(error) && { error }))
      }
      const forget = untilSessionEnds(auth, subject, fail)

      const connect = async () => {
        let error: unknown
        try {
          // The UTF-8 bytes, one character each, as a header value needs.
          const last = String.fromCharCode(...new TextEncoder().encode(lastEventId))
          const response = await auth.fetch(this.url, {
            headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) },
            cache: 'no-store',
            credentials: this.withCredentials ? 'include' : 'same-origin',
            signal: stop.signal,
          })
          const { body, headers, status } = response
          if (status !== 200 || !/^text\/event-stream *(;|$)/i.test(headers.get('content-type') ?? '')) {
            void body?.cancel().catch(() => {})
            return fail()
          }
          failures = 0
          become(Source.OPEN)
          tell(new Event('open'))
          await read(body!, new URL(response.url || this.url).origin)
        } catch (cause) {
          // Waiting would not bring a token.
          if (isTokenError(cause) && !cause.retryable) return fail(cause)
          error = cause
        }
        if (isClosed()) return
        become(Source.CONNECTING)
        // After a failure, add full jitter, so that a server that comes back does not get all clients at once.
        callOff = later(
          retry + (failures && Math.random() * Math.min(LONGEST, retry * 2 ** failures)),
          () => void connect(),
        )
        failures++
        tell(Object.assign(new Event('error'), isTokenError(error) && { error }))
      }

      const read = async (body: ReadableStream<Uint8Array<ArrayBuffer>>, origin: string) => {
        // Decodes as the standard says, without a leading BOM.
        const reader = body.pipeThrough(new TextDecoderStream()).getReader()
        let data = ''
        let type = ''
        let rest = ''
        let endsWithCr = false
        id = lastEventId

        const take = (line: string) => {
          if (line) {
            const [, field, value] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line)!
            if (field === 'data') data += `${value}\n`
            else if (field === 'event') type = value!
            else if (field === 'id' && !value!.includes('\0')) id = value!
            else if (field === 'retry' && /^[0-9]+$/.test(value!)) retry = +value!
            return
          }
          lastEventId = id
          const event = data && new MessageEvent(type || 'message', { data: data.slice(0, -1), origin, lastEventId })
          data = type = ''
          if (event) tell(event)
        }

        for (;;) {
          const { done, value } = await reader.read()
          // An event that is not ended by an empty line is discarded.
          if (done || isClosed()) return
          if (!value) continue
          const lines = (endsWithCr && value[0] === '\n' ? value.slice(1) : value).split(/\r\n|\n|\r/)
          endsWithCr = value.endsWith('\r')
          lines[0] = rest + lines[0]
          rest = lines.pop()!
          for (const line of lines) take(line)
        }
      }

      void connect()
    }
  }
  return Source as unknown as typeof EventSource
}
