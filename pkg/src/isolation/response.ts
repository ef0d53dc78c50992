// Sends a response from the worker to the page: status and headers at once, the body chunk by chunk. The page asks for
// each chunk, so a body that it does not read takes up only a few chunks of memory.

import { AHEAD, type WireResponse } from './messages.js'

/** In the worker: describes a response, without the header `hidden`, which may contain a token. */
export function sendResponse(response: Response, hidden: string | undefined, stream: number | undefined): WireResponse {
  const { status, statusText, url, type, redirected } = response
  const headers = [...response.headers].filter(([name]) => name !== hidden)
  return { status, statusText, headers, url, type, redirected, stream }
}

/** In the worker: sends as many chunks of a body as the page has asked for. */
export function pump(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: { chunk(bytes: Uint8Array<ArrayBuffer>): void; end(): void; broken(cause: unknown): void },
) {
  const reader = body.getReader()
  let asked = AHEAD
  let isReading = false
  let isOver = false
  const run = async () => {
    if (isReading) return
    isReading = true
    try {
      while (asked && !isOver) {
        const { done, value } = await reader.read()
        if (isOver) return
        if (done) {
          isOver = true
          return tell.end()
        }
        asked--
        tell.chunk(value)
      }
    } catch (cause) {
      if (!isOver) tell.broken(cause)
      isOver = true
    } finally {
      isReading = false
    }
  }
  void run()
  return {
    pull() {
      asked++
      void run()
    },
    cancel() {
      isOver = true
      void reader.cancel().catch(() => {})
    },
  }
}

/** The page's end of a body. */
export interface Inlet {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  chunk(bytes: Uint8Array<ArrayBuffer>): void
  end(): void
  broken(cause: unknown): void
  /** Why the body broke off. */
  failure(): { cause: unknown } | undefined
}

/**
 * In the page: builds the body. `ask` asks for one more chunk; `cancel` stops the body when nobody reads it any more.
 */
export function inlet(ask: () => void, cancel: () => void): Inlet {
  const queue: Uint8Array<ArrayBuffer>[] = []
  let isEnded = false
  let failure: { cause: unknown } | undefined
  let wake: (() => void) | undefined
  const stir = () => {
    wake?.()
    wake = undefined
  }
  const source = {
    async pull(controller: ReadableStreamDefaultController | ReadableByteStreamController) {
      while (!queue.length && !isEnded && !failure) await new Promise<void>((resolve) => (wake = resolve))
      if (failure) throw failure.cause
      const bytes = queue.shift()
      if (bytes) {
        ;(controller as ReadableByteStreamController).enqueue(bytes)
        ask()
      } else {
        controller.close()
        // A pending read into the reader's own buffer must be answered with 0 bytes.
        ;(controller as { byobRequest?: ReadableStreamBYOBRequest | null }).byobRequest?.respond(0)
      }
    },
    cancel() {
      cancel()
      stir()
    },
  }
  // Take no chunk before somebody reads.
  const strategy = { highWaterMark: 0 }
  let body: ReadableStream
  try {
    body = new ReadableStream({ ...source, type: 'bytes' } as UnderlyingByteSource, strategy)
  } catch {
    // The platform has no byte streams.
    body = new ReadableStream(source as UnderlyingDefaultSource, strategy)
  }
  return {
    body,
    chunk(bytes) {
      if (bytes.byteLength) queue.push(bytes)
      else ask()
      stir()
    },
    end() {
      isEnded = true
      stir()
    },
    broken(cause) {
      failure ??= { cause }
      stir()
    },
    failure: () => failure,
  }
}

/** In the page: rebuilds the `Response`. */
export function receiveResponse(wire: WireResponse, from?: Inlet): Response {
  const { status, statusText, headers, url, type, redirected } = wire
  // The constructor refuses some status texts that a server may send.
  const members = { url, type, redirected, statusText }
  // The constructor refuses other statuses, and these three with a body. Some platforms have a body for them
  // nevertheless.
  const isOdd = status < 200 || status > 599 || (from && [204, 205, 304].includes(status))
  const made =
    isOdd && !from ? Response.error() : new Response(from?.body ?? null, { status: isOdd ? 200 : status, headers })
  return dressed(made, isOdd ? { ...members, status, ok: status > 199 && status < 300 } : members, from)
}

const READERS = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const

/** Defines members that the constructor cannot set, on the response and on its clones. */
function dressed(response: Response, members: Partial<Response>, from: Inlet | undefined): Response {
  const define = (name: string, value: unknown) =>
    Object.defineProperty(response, name, { __proto__: null, value, configurable: true } as PropertyDescriptor)
  for (const [name, value] of Object.entries(members)) define(name, value)
  define('clone', () => dressed(Response.prototype.clone.call(response), members, from))
  // If a stream made by a script breaks off, some platforms replace the error.
  if (from)
    for (const name of READERS) {
      const read = Response.prototype[name] as (() => Promise<unknown>) | undefined
      if (read)
        define(name, () =>
          read.call(response).catch((error) => {
            const failure = from.failure()
            throw failure ? failure.cause : error
          }),
        )
    }
  return response
}
