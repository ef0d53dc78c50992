// An answer on its way from the worker to the page: what can be said of it at once, and its body chunk by chunk. The page asks for each
// chunk, so what it does not read is not sent, and holds no more than a few chunks of memory.

import { AHEAD, type WireResponse } from './messages.js';

/** In the worker: what crosses of an answer. `hidden` is the header that may bring a token. */
export function sendResponse(response: Response, hidden: string | undefined, stream: number | undefined): WireResponse {
  const { status, statusText, url, type, redirected } = response;
  const headers = [...response.headers].filter(([name]) => name !== hidden);
  return { status, statusText, headers, url, type, redirected, stream };
}

/** In the worker: hands on the chunks of a body as far as they are asked for. */
export function pump(body: ReadableStream<Uint8Array<ArrayBuffer>>, tell: { chunk(bytes: Uint8Array<ArrayBuffer>): void; end(): void; broken(cause: unknown): void }) {
  const reader = body.getReader();
  let asked = AHEAD;
  let isReading = false;
  let isOver = false;
  const run = async () => {
    if (isReading) return;
    isReading = true;
    try {
      while (asked && !isOver) {
        const { done, value } = await reader.read();
        if (isOver) return;
        if (done) {
          isOver = true;
          return tell.end();
        }
        asked--;
        tell.chunk(value);
      }
    } catch (cause) {
      if (!isOver) tell.broken(cause);
      isOver = true;
    } finally {
      isReading = false;
    }
  };
  void run();
  return {
    pull() {
      asked++;
      void run();
    },
    cancel() {
      isOver = true;
      void reader.cancel().catch(() => {});
    },
  };
}

/** The page's end of a body. */
export interface Inlet {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  chunk(bytes: Uint8Array<ArrayBuffer>): void;
  end(): void;
  broken(cause: unknown): void;
  /** Why it broke off. */
  failure(): { cause: unknown } | undefined;
}

/** In the page: the body. `ask` asks for one more chunk; `cancel` says that nobody reads it any more. */
export function inlet(ask: () => void, cancel: () => void): Inlet {
  const queue: Uint8Array<ArrayBuffer>[] = [];
  let isEnded = false;
  let failure: { cause: unknown } | undefined;
  let wake: (() => void) | undefined;
  const stir = () => {
    wake?.();
    wake = undefined;
  };
  const source = {
    async pull(controller: ReadableStreamDefaultController | ReadableByteStreamController) {
      while (!queue.length && !isEnded && !failure) await new Promise<void>((resolve) => (wake = resolve));
      if (failure) throw failure.cause;
      const bytes = queue.shift();
      if (bytes) {
        (controller as ReadableByteStreamController).enqueue(bytes);
        ask();
      } else {
        controller.close();
        // A reader that brought its own memory is told that nothing went into it.
        (controller as { byobRequest?: ReadableStreamBYOBRequest | null }).byobRequest?.respond(0);
      }
    },
    cancel() {
      cancel();
      stir();
    },
  };
  // Nothing is taken before somebody reads.
  const strategy = { highWaterMark: 0 };
  let body: ReadableStream;
  try {
    body = new ReadableStream({ ...source, type: 'bytes' } as UnderlyingByteSource, strategy);
  } catch {
    // The platform's own are of that type only where it has it.
    body = new ReadableStream(source as UnderlyingDefaultSource, strategy);
  }
  return {
    body,
    chunk(bytes) {
      if (bytes.byteLength) queue.push(bytes);
      else ask();
      stir();
    },
    end() {
      isEnded = true;
      stir();
    },
    broken(cause) {
      failure ??= { cause };
      stir();
    },
    failure: () => failure,
  };
}

/** In the page: the `Response` again. */
export function receiveResponse(wire: WireResponse, from?: Inlet): Response {
  const { status, statusText, headers, url, type, redirected } = wire;
  // The platform takes words from a server that it takes from no script.
  const members = { url, type, redirected, statusText };
  // No script can make one of another status; and some platforms give a body with one that has none.
  const isOdd = status < 200 || status > 599 || (from && [204, 205, 304].includes(status));
  const made = isOdd && !from ? Response.error() : new Response(from?.body ?? null, { status: isOdd ? 200 : status, headers });
  return dressed(made, isOdd ? { ...members, status, ok: status > 199 && status < 300 } : members, from);
}

const READERS = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const;

/** What only the platform can set is set on the object; its clones have it, too. */
function dressed(response: Response, members: Partial<Response>, from: Inlet | undefined): Response {
  const define = (name: string, value: unknown) => Object.defineProperty(response, name, { __proto__: null, value, configurable: true } as PropertyDescriptor);
  for (const [name, value] of Object.entries(members)) define(name, value);
  define('clone', () => dressed(Response.prototype.clone.call(response), members, from));
  // Where a script's stream breaks off, the platform forgets why.
  if (from)
    for (const name of READERS) {
      const read = Response.prototype[name] as (() => Promise<unknown>) | undefined;
      if (read)
        define(name, () => read.call(response).catch((error) => {
          const failure = from.failure();
          throw failure ? failure.cause : error;
        }));
    }
  return response;
}
