// A WebSocket that follows the session: each connection gets the current token, a refused token is replaced, and the connection ends with
// the session. A browser's WebSocket cannot send headers, so the app chooses one of four other ways to send the token.

import { pageBase } from '../base.js'
import { isTokenError, TokenError } from '../error.js'
import type { TokenManager } from '../types.js'
import { later, untilSessionEnds } from './again.js'
import { expectManager } from './manager.js'

/** How the token is sent. Not needed if the URL is a function, which may fetch a ticket. */
export type SocketToken =
  | {
      /** As this parameter of the URL. Servers and proxies log URLs, so a ticket that is valid once is safer. */
      query: string
    }
  | {
      /** As a subprotocol, offered in addition to `protocols`. The result may only contain letters, digits, `!#$%&'*+-.^_|~` and the backtick. */
      protocol: (token: string) => string
    }
  | {
      /** As the first message of each connection, sent before the event `open`. */
      message: (token: string) => string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob
    }

/** The options of {@link openWebSocket}. */
export interface SocketOptions {
  /** How the token is sent. */
  token?: SocketToken
  /** The subprotocols to offer. */
  protocols?: readonly string[]
  /** The close codes that mean that the token was refused. Default `[1008, 3000, 4401]`. */
  refused?: readonly number[]
  /** The same as the manager's `subject`. Default: `sub`, or else `user_id`. If a token does not name its user, any login ends the connection. */
  subject?: string
}

// The longest first pause, and the longest of all pauses, in milliseconds.
const FIRST = 1000
const LONGEST = 30_000
// A connection that lasted this long, in milliseconds, resets the back-off.
const GOOD = 5000

type Handler<E extends Event> = ((event: E) => void) | null

/**
 * A WebSocket that reconnects until it is closed. It has the members and events of a `WebSocket`, with `open` and `close` for each
 * connection. In the last `close` event `readyState` is `CLOSED`, in all others `CONNECTING`.
 */
export interface TokenSocket extends EventTarget {
  readonly readyState: 0 | 1 | 2 | 3
  /** The subprotocol of this connection. */
  readonly protocol: string
  readonly bufferedAmount: number
  binaryType: BinaryType
  onopen: Handler<Event>
  onmessage: Handler<MessageEvent>
  onclose: Handler<CloseEvent>
  /** `event.error` is the {@link TokenError} that ended the connection, if there was one. */
  onerror: Handler<Event & { error?: TokenError }>
  /** Throws `InvalidStateError` unless the connection is open. */
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): void
  /** Closes the connection for good. */
  close(code?: number, reason?: string): void
}

/**
 * Opens a WebSocket and reopens it whenever it ends, after a pause with back-off and full jitter, and only while the browser is online. It stops
 * when `close` is called, the session ends, another user signs in, or the server also refuses a new token. If a connection closes with one of
 * the codes in `refused`, or fails twice before it is open (browsers do not tell a refusal from a server that is down), the next one uses a
 * newer token. The refresh for it is shared with all other callers.
 *
 * `url`: relative to the page, with `http` or `ws`; or a function that returns a URL and is called before each connection, for tickets
 * that it gets with `auth.fetch`. Only with the option `token` does the manager need `exposeToken: true`.
 */
export function openWebSocket(
  auth: Pick<TokenManager, 'getAccessToken' | 'state' | 'addEventListener' | 'removeEventListener'>,
  url: string | URL | (() => string | URL | Promise<string | URL>),
  { token: way, protocols = [], refused: codes = [1008, 3000, 4401], subject }: SocketOptions = {},
): TokenSocket {
  expectManager(auth, 'openWebSocket')
  if (!way && typeof url !== 'function')
    throw new TokenError(
      'invalid-argument',
      'openWebSocket: needs the option token: { query }, { protocol } or { message }, or a function as URL that gets a ticket.',
    )

  let socket: WebSocket | undefined
  let state = 0
  let binaryType: BinaryType = 'blob'
  let attempts = 0
  /** The refused token, and whether the refusal is only a guess. */
  let refused: string | undefined
  let isGuess = false
  let suspect: string | undefined
  let callOff = () => {}

  const target = new EventTarget() as TokenSocket
  Object.defineProperties(
    target,
    Object.getOwnPropertyDescriptors({
      get readyState() {
        return state
      },
      get protocol() {
        return socket?.protocol ?? ''
      },
      get bufferedAmount() {
        return socket?.bufferedAmount ?? 0
      },
      get binaryType() {
        return binaryType
      },
      set binaryType(type: BinaryType) {
        binaryType = type
        if (socket) socket.binaryType = type
      },
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send(data: string) {
        if (state !== 1) throw new DOMException('The socket is not open.', 'InvalidStateError')
        socket!.send(data)
      },
      close: end,
    }),
  )
  for (const type of ['open', 'message', 'close', 'error'] as const)
    target.addEventListener(type, (event) => (target[`on${type}`] as Handler<Event>)?.call(target, event))

  const forget = untilSessionEnds(auth, subject, () => end(1000, 'signed out'))

  function end(code?: number, reason?: string): void {
    if (state > 1) return
    // The platform throws if the arguments are bad.
    const live = socket
    live?.close(code, reason)
    forget()
    callOff()
    state = live ? 2 : 3
    if (!live) queueMicrotask(() => tellClose({ code: code ?? 1005, reason: reason ?? '', wasClean: true }))
  }

  function give(error: TokenError): void {
    if (state > 1) return
    forget()
    state = 3
    target.dispatchEvent(Object.assign(new Event('error'), { error }))
    tellClose({ code: 1006, reason: '', wasClean: false })
  }

  function tellClose({ code, reason, wasClean }: Pick<CloseEvent, 'code' | 'reason' | 'wasClean'>): void {
    target.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }))
  }

  function again(): void {
    state = 0
    // Reconnect at once after a first refusal: the pause is for bad networks.
    const pause =
      refused !== undefined && !isGuess && !attempts ? 0 : Math.random() * Math.min(LONGEST, FIRST * 2 ** attempts)
    attempts++
    callOff = later(pause, () => void connect())
  }

  async function ask(by: URL): Promise<string> {
    if (refused === undefined) return auth.getAccessToken()
    try {
      return await auth.getAccessToken({ refused, by })
    } catch (error) {
      // The refusal was a guess: the server may just be down.
      if (isGuess && isTokenError(error) && error.code === 'forbidden') return auth.getAccessToken()
      throw error
    }
  }

  async function connect(): Promise<void> {
    let address: URL
    let token: string | undefined
    try {
      address = socketUrl(typeof url === 'function' ? await url() : url)
      if (way) {
        const by = new URL(address)
        by.search = ''
        token = await ask(by)
      }
    } catch (error) {
      if (state > 1) return
      return isTokenError(error) && !error.retryable ? give(error) : again()
    }
    if (state > 1) return
    refused = undefined
    if (token !== undefined && way && 'query' in way) address.searchParams.set(way.query, token)
    const offered = [...protocols]
    try {
      if (token !== undefined && way && 'protocol' in way) offered.push(way.protocol(token))
    } catch (error) {
      return give(thrown('protocol', error))
    }
    try {
      open(new WebSocket(address, offered), token)
    } catch {
      // The platform's message would quote the URL or subprotocol, and so the token.
      give(
        new TokenError(
          'invalid-argument',
          'openWebSocket: the browser rejects the URL or the subprotocol. Encode a token that has characters which a subprotocol cannot have.',
        ),
      )
    }
  }

  function open(live: WebSocket, token: string | undefined): void {
    let opened: number | undefined
    socket = live
    live.binaryType = binaryType
    live.onopen = () => {
      if (state > 1) return
      opened = performance.now()
      try {
        if (token !== undefined && way && 'message' in way) live.send(way.message(token))
      } catch (error) {
        live.onclose = null
        live.close()
        socket = undefined
        return give(thrown('message', error))
      }
      state = 1
      target.dispatchEvent(new Event('open'))
    }
    live.onmessage = ({ data, origin }) =>
      state === 1 && target.dispatchEvent(new MessageEvent('message', { data: data as unknown, origin }))
    live.onerror = () => state > 1 || target.dispatchEvent(new Event('error'))
    live.onclose = (event) => {
      socket = undefined
      if (state > 1) state = 3
      else {
        if (opened !== undefined && performance.now() - opened >= GOOD) attempts = 0
        isGuess = opened === undefined
        if (codes.includes(event.code)) refused = token
        else if (isGuess && token !== undefined) {
          if (suspect === token) refused = token
          suspect = token
        }
        again()
      }
      tellClose(event)
    }
  }

  void connect()
  return target
}

/** The app's function threw. Its message may quote the token, so only the error's name is reported. */
function thrown(option: string, error: unknown): TokenError {
  const name = error instanceof Error ? error.name : typeof error
  return new TokenError('invalid-argument', `openWebSocket: the function \`token.${option}\` threw (${name}).`)
}

/** Accepts relative and `http` URLs and makes them `ws`, as newer browsers do. */
function socketUrl(url: string | URL): URL {
  let place: URL
  try {
    place = new URL(url, pageBase())
  } catch {
    throw new TokenError('invalid-argument', 'openWebSocket: the URL is not valid.')
  }
  place.protocol = place.protocol.replace('http', 'ws')
  place.hash = ''
  return place
}
