// A WebSocket that knows the session: a token at each connection, a new one where it was refused, and an end with the session. A browser's
// WebSocket can send no header, so the token travels in one of four ways, of which the app chooses what its server takes.

import { pageBase } from '../base.js';
import { isTokenError, TokenError } from '../error.js';
import type { TokenManager } from '../types.js';
import { later, untilSessionEnds } from './again.js';
import { expectManager } from './manager.js';

/** How the token travels. None where the URL is a function, which may ask for a ticket. */
export type SocketToken =
  | {
      /** A parameter of the URL. Servers and proxies log URLs: a ticket, which is good once, is better. */
      query: string;
    }
  | {
      /** Makes a subprotocol of it, offered beside `protocols`: only letters, digits and `!#$%&'*+-.^_|~` and the backtick can stand there. */
      protocol: (token: string) => string;
    }
  | {
      /** Makes the first message of each connection of it, sent before the event `open`. */
      message: (token: string) => string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob;
    };

/** What {@link openWebSocket} takes beside the URL. */
export interface SocketOptions {
  /** How the token travels. */
  token?: SocketToken;
  /** The subprotocols to offer. */
  protocols?: readonly string[];
  /** The close codes that say that the token is refused. Default `[1008, 3000, 4401]`. */
  refused?: readonly number[];
  /** As the manager has it. Default: `sub`, or else `user_id`. Where a token does not name its user, any login ends the connection. */
  subject?: string;
}

// The first pause is at most so long, and further ones grow to this, in milliseconds.
const FIRST = 1000;
const LONGEST = 30_000;
// A connection that has lasted so long was a good one.
const GOOD = 5000;

type Handler<E extends Event> = ((event: E) => void) | null;

/**
 * A connection that is taken up again until it is closed. It has the members and events of a `WebSocket`, with `open` and `close` for each
 * connection: in a `close` that is the last one `readyState` is `CLOSED`, in all others `CONNECTING`.
 */
export interface TokenSocket extends EventTarget {
  readonly readyState: 0 | 1 | 2 | 3;
  /** The subprotocol of this connection. */
  readonly protocol: string;
  readonly bufferedAmount: number;
  binaryType: BinaryType;
  onopen: Handler<Event>;
  onmessage: Handler<MessageEvent>;
  onclose: Handler<CloseEvent>;
  /** `event.error` is the {@link TokenError} that has ended it, where there was one. */
  onerror: Handler<Event & { error?: TokenError }>;
  /** Throws `InvalidStateError` unless it is open. */
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): void;
  /** For good. */
  close(code?: number, reason?: string): void;
}

/**
 * Opens a WebSocket, and opens it again whenever it ends, after a pause with back-off and full jitter, and not before there is a network, until
 * `close` is called, the session ends, another user signs in, or the server refuses a new token, too. Where it closes with a code that says "refused", or the connection fails twice before it is open (a browser
 * does not tell a refusal from a server that is down), the next one has a newer token: one refresh, whoever else asks for one.
 *
 * `url`: relative to the page, `http` or `ws`; or a function that answers one, and is asked before each connection: for tickets, got by
 * `auth.fetch`. All but that need `exposeToken: true`.
 */
export function openWebSocket(
  auth: Pick<TokenManager, 'getAccessToken' | 'state' | 'addEventListener' | 'removeEventListener'>,
  url: string | URL | (() => string | URL | Promise<string | URL>),
  { token: way, protocols = [], refused: codes = [1008, 3000, 4401], subject }: SocketOptions = {},
): TokenSocket {
  expectManager(auth, 'openWebSocket');
  if (!way && typeof url !== 'function')
    throw new TokenError('invalid-argument', 'openWebSocket: takes { token: { query, protocol or message } }, or a function as URL that asks for a ticket.');

  let socket: WebSocket | undefined;
  let state = 0;
  let binaryType: BinaryType = 'blob';
  let attempts = 0;
  /** The token that is refused, and whether that is no more than a guess. */
  let refused: string | undefined;
  let isGuess = false;
  let suspect: string | undefined;
  let callOff = () => {};

  const target = new EventTarget() as TokenSocket;
  Object.defineProperties(target, Object.getOwnPropertyDescriptors({
    get readyState() {
      return state;
    },
    get protocol() {
      return socket?.protocol ?? '';
    },
    get bufferedAmount() {
      return socket?.bufferedAmount ?? 0;
    },
    get binaryType() {
      return binaryType;
    },
    set binaryType(type: BinaryType) {
      binaryType = type;
      if (socket) socket.binaryType = type;
    },
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send(data: string) {
      if (state !== 1) throw new DOMException('The socket is not open.', 'InvalidStateError');
      socket!.send(data);
    },
    close: end,
  }));
  for (const type of ['open', 'message', 'close', 'error'] as const) target.addEventListener(type, (event) => (target[`on${type}`] as Handler<Event>)?.call(target, event));

  const forget = untilSessionEnds(auth, subject, () => end(1000, 'signed out'));

  function end(code?: number, reason?: string): void {
    if (state > 1) return;
    // Throws what the platform says of the arguments.
    const live = socket;
    live?.close(code, reason);
    forget();
    callOff();
    state = live ? 2 : 3;
    if (!live) queueMicrotask(() => tellClose({ code: code ?? 1005, reason: reason ?? '', wasClean: true }));
  }

  function give(error: TokenError): void {
    if (state > 1) return;
    forget();
    state = 3;
    target.dispatchEvent(Object.assign(new Event('error'), { error }));
    tellClose({ code: 1006, reason: '', wasClean: false });
  }

  function tellClose({ code, reason, wasClean }: Pick<CloseEvent, 'code' | 'reason' | 'wasClean'>): void {
    target.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }

  function again(): void {
    state = 0;
    // Who is refused once asks at once: it is the pause of nobody's bad network.
    const pause = refused !== undefined && !isGuess && !attempts ? 0 : Math.random() * Math.min(LONGEST, FIRST * 2 ** attempts);
    attempts++;
    callOff = later(pause, () => void connect());
  }

  async function ask(by: URL): Promise<string> {
    if (refused === undefined) return auth.getAccessToken();
    try {
      return await auth.getAccessToken({ refused, by });
    } catch (error) {
      // A server that is down has refused nothing.
      if (isGuess && isTokenError(error) && error.code === 'forbidden') return auth.getAccessToken();
      throw error;
    }
  }

  async function connect(): Promise<void> {
    let address: URL;
    let token: string | undefined;
    try {
      address = socketUrl(typeof url === 'function' ? await url() : url);
      if (way) {
        const by = new URL(address);
        by.search = '';
        token = await ask(by);
      }
    } catch (error) {
      if (state > 1) return;
      return isTokenError(error) && !error.retryable ? give(error) : again();
    }
    if (state > 1) return;
    refused = undefined;
    if (token !== undefined && way && 'query' in way) address.searchParams.set(way.query, token);
    const offered = [...protocols];
    try {
      if (token !== undefined && way && 'protocol' in way) offered.push(way.protocol(token));
    } catch (error) {
      return give(thrown('protocol', error));
    }
    try {
      open(new WebSocket(address, offered), token);
    } catch {
      // The platform's message says what was offered, the token with it.
      give(new TokenError('invalid-argument', 'openWebSocket: the platform takes no such URL or subprotocol. A token with other characters must be encoded to be one.'));
    }
  }

  function open(live: WebSocket, token: string | undefined): void {
    let opened: number | undefined;
    socket = live;
    live.binaryType = binaryType;
    live.onopen = () => {
      if (state > 1) return;
      opened = performance.now();
      try {
        if (token !== undefined && way && 'message' in way) live.send(way.message(token));
      } catch (error) {
        live.onclose = null;
        live.close();
        socket = undefined;
        return give(thrown('message', error));
      }
      state = 1;
      target.dispatchEvent(new Event('open'));
    };
    live.onmessage = ({ data, origin }) => state === 1 && target.dispatchEvent(new MessageEvent('message', { data: data as unknown, origin }));
    live.onerror = () => state > 1 || target.dispatchEvent(new Event('error'));
    live.onclose = (event) => {
      socket = undefined;
      if (state > 1) state = 3;
      else {
        if (opened !== undefined && performance.now() - opened >= GOOD) attempts = 0;
        isGuess = opened === undefined;
        if (codes.includes(event.code)) refused = token;
        else if (isGuess && token !== undefined) {
          if (suspect === token) refused = token;
          suspect = token;
        }
        again();
      }
      tellClose(event);
    };
  }

  void connect();
  return target;
}

/** A function of the app's has thrown. What it threw may quote the token, so that its name alone is told. */
function thrown(option: string, error: unknown): TokenError {
  const name = error instanceof Error ? error.name : typeof error;
  return new TokenError('invalid-argument', `openWebSocket: the function \`token.${option}\` threw (${name}).`);
}

/** A relative URL, or one of `http`, is one of `ws`, as newer browsers take it. */
function socketUrl(url: string | URL): URL {
  let place: URL;
  try {
    place = new URL(url, pageBase());
  } catch {
    throw new TokenError('invalid-argument', 'openWebSocket: the URL is not valid.');
  }
  place.protocol = place.protocol.replace('http', 'ws');
  place.hash = '';
  return place;
}
