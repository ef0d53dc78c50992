// EventSource over `fetch`, for the platform's own cannot send a header: server-sent events as in the HTML Standard, section 9.2. The
// parser is its text, step by step; a package for that would be the first dependency of this one.

import { pageBase } from '../base.js';
import { isTokenError, TokenError } from '../error.js';
import type { TokenManager, TokenManagerOptions } from '../types.js';
import { later, untilSessionEnds } from './again.js';

// As browsers have it, and what further pauses grow to, in milliseconds.
const RETRY = 3000;
const LONGEST = 30_000;

type Handler = ((event: Event) => void) | null;

/**
 * A class that stands for `EventSource`: `auth.fetch` asks, so what lies under the manager's `apis` is asked with the token, and a refusal costs
 * one refresh. A connection that ends is taken up again as the standard has it, with `Last-Event-ID`, after the time that the server
 * named in `retry`; where that fails, too, after ever longer pauses, and not before there is a network. 204, any status
 * but 200, and another type of content end it, and so does the end of the session, or another user's login: then `readyState` is `CLOSED` in the
 * event `error`, whose own member `error` is the {@link TokenError}, where there was one.
 *
 * `options`: `subject` as the manager has it; default `sub`, or else `user_id`. Where a token does not name its user, any login ends it.
 */
export function createEventSource(
  auth: Pick<TokenManager, 'fetch' | 'state' | 'addEventListener' | 'removeEventListener'>,
  { subject }: Pick<TokenManagerOptions, 'subject'> = {},
): typeof EventSource {
  if (typeof auth?.fetch !== 'function' || typeof auth.addEventListener !== 'function')
    throw new TokenError('invalid-argument', 'createEventSource: takes the manager that createTokenManager gives.');

  class Source extends EventTarget {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSED = 2;
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSED = 2;
    readonly url: string;
    readonly withCredentials: boolean;
    readonly readyState: number = 0;
    onopen: Handler = null;
    onmessage: Handler = null;
    onerror: Handler = null;
    readonly close: () => void;

    constructor(url: string | URL, { withCredentials = false }: EventSourceInit = {}) {
      super();
      for (const type of ['open', 'message', 'error'] as const) this.addEventListener(type, (event) => this[`on${type}`]?.call(this, event));
      try {
        this.url = new URL(url, pageBase()).href;
      } catch {
        throw new DOMException('EventSource: the URL is not valid.', 'SyntaxError');
      }
      this.withCredentials = !!withCredentials;

      const stop = new AbortController();
      let retry = RETRY;
      /** Of the stream, and what of it has been taken for good. */
      let id = '';
      let lastEventId = '';
      let failures = 0;
      let callOff = () => {};
      const become = (state: number) => ((this as { readyState: number }).readyState = state);
      const isClosed = () => this.readyState === Source.CLOSED;
      const tell = (event: Event) => isClosed() || this.dispatchEvent(event);

      this.close = () => {
        become(Source.CLOSED);
        forget();
        callOff();
        stop.abort();
      };
      const fail = (error?: unknown) => {
        if (isClosed()) return;
        this.close();
        this.dispatchEvent(Object.assign(new Event('error'), isTokenError(error) && { error }));
      };
      const forget = untilSessionEnds(auth, subject, fail);

      const connect = async () => {
        let error: unknown;
        try {
          // As bytes of UTF-8, each a character.
          const last = String.fromCharCode(...new TextEncoder().encode(lastEventId));
          const response = await auth.fetch(this.url, {
            headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) },
            cache: 'no-store',
            credentials: this.withCredentials ? 'include' : 'same-origin',
            signal: stop.signal,
          });
          const { body, headers, status } = response;
          if (status !== 200 || !/^text\/event-stream *(;|$)/i.test(headers.get('content-type') ?? '')) {
            void body?.cancel().catch(() => {});
            return fail();
          }
          failures = 0;
          become(Source.OPEN);
          tell(new Event('open'));
          await read(body!, new URL(response.url || this.url).origin);
        } catch (cause) {
          // Nobody will come to have a token by waiting.
          if (isTokenError(cause) && !cause.retryable) return fail(cause);
          error = cause;
        }
        if (isClosed()) return;
        become(Source.CONNECTING);
        // After a failure, full jitter is added: a server that comes back is not to be met by everybody at once.
        callOff = later(retry + (failures && Math.random() * Math.min(LONGEST, retry * 2 ** failures)), () => void connect());
        failures++;
        tell(Object.assign(new Event('error'), isTokenError(error) && { error }));
      };

      const read = async (body: ReadableStream<Uint8Array<ArrayBuffer>>, origin: string) => {
        // It decodes as the standard says, a BOM at the beginning left out.
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        let data = '';
        let type = '';
        let rest = '';
        let endsWithCr = false;
        id = lastEventId;

        const take = (line: string) => {
          if (line) {
            const [, field, value] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line)!;
            if (field === 'data') data += `${value}\n`;
            else if (field === 'event') type = value!;
            else if (field === 'id' && !value!.includes('\0')) id = value!;
            else if (field === 'retry' && /^[0-9]+$/.test(value!)) retry = +value!;
            return;
          }
          lastEventId = id;
          const event = data && new MessageEvent(type || 'message', { data: data.slice(0, -1), origin, lastEventId });
          data = type = '';
          if (event) tell(event);
        };

        for (;;) {
          const { done, value } = await reader.read();
          // What is not ended by an empty line is left out.
          if (done || isClosed()) return;
          if (!value) continue;
          const lines = (endsWithCr && value[0] === '\n' ? value.slice(1) : value).split(/\r\n|\n|\r/);
          endsWithCr = value.endsWith('\r');
          lines[0] = rest + lines[0];
          rest = lines.pop()!;
          for (const line of lines) take(line);
        }
      };

      void connect();
    }
  }
  return Source as unknown as typeof EventSource;
}
