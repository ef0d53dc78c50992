// Sends HttpClient requests with a given `fetch`. It behaves like Angular's own fetch backend, which does not accept another `fetch`.

import {
  HttpErrorResponse,
  HttpEventType,
  HttpHeaderResponse,
  HttpHeaders,
  HttpResponse,
  type HttpDownloadProgressEvent,
  type HttpEvent,
  type HttpRequest,
} from '@angular/common/http'
import { Observable, type Subscriber } from 'rxjs'
import { mistake } from './common.js'
import type { NgZone } from '@angular/core'

const ACCEPT = 'application/json, text/plain, */*'
// The prefix that some servers put before JSON, so that a script element cannot load it.
const XSSI = /^\)\]\}',?\n/

/** With newer members of Angular's requests, which are `undefined` in older versions. */
type AnyRequest = HttpRequest<unknown> & { reportUploadProgress?: boolean; reportDownloadProgress?: boolean }

/** The request's events. Unsubscribing aborts the request. */
export function exchange(
  request: HttpRequest<unknown>,
  fetch: typeof globalThis.fetch,
  zone: NgZone,
): Observable<HttpEvent<unknown>> {
  return new Observable((observer) => {
    const aborter = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    // Timers and body chunks must not trigger change detection.
    zone.runOutsideAngular(() => {
      if (request.timeout)
        timer = setTimeout(() => aborter.abort(new DOMException('signal timed out', 'TimeoutError')), request.timeout)
      send(request, fetch, aborter.signal, (event) => zone.run(() => observer.next(event))).then(
        (last) => zone.run(() => finish(observer, last)),
        (error: unknown) =>
          zone.run(() =>
            observer.error(
              error instanceof HttpErrorResponse
                ? error
                : new HttpErrorResponse({ error, status: 0, url: request.urlWithParams }),
            ),
          ),
      )
    })
    return () => {
      clearTimeout(timer)
      aborter.abort()
    }
  })
}

function finish(observer: Subscriber<HttpEvent<unknown>>, last: HttpResponse<unknown>): void {
  observer.next(last)
  observer.complete()
}

/** Resolves to the last event, or rejects with the error for the request's subscriber. */
async function send(
  request: AnyRequest,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
  tell: (event: HttpEvent<unknown>) => void,
): Promise<HttpResponse<unknown>> {
  if (request.reportUploadProgress)
    throw mistake(
      'HttpClient: fetch has no upload progress. Use tokenkeepInterceptor, with provideHttpClient(withXhr(), …).',
    )
  const sent = fetch(request.urlWithParams, init(request, signal))
  tell({ type: HttpEventType.Sent })
  const response = await sent
  const { status, statusText } = response
  const about = {
    headers: new HttpHeaders(response.headers),
    status,
    statusText,
    url: response.url || request.urlWithParams,
  }
  const progress = request.reportProgress || request.reportDownloadProgress ? tell : undefined
  progress?.(new HttpHeaderResponse(about))
  const bytes = await read(response, request, progress)
  try {
    const body = bytes && parse(request, bytes, response)
    if (response.ok) return new HttpResponse({ ...about, body })
    throw new HttpErrorResponse({ ...about, error: body })
  } catch (error) {
    // The server declared the body as JSON, but it is not.
    throw error instanceof HttpErrorResponse ? error : new HttpErrorResponse({ ...about, error })
  }
}

function init(request: HttpRequest<unknown>, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = {}
  request.headers.keys().forEach((name) => (headers[name] = request.headers.getAll(name)!.join(',')))
  if (!request.headers.has('Accept')) headers['Accept'] = ACCEPT
  const type = request.headers.has('Content-Type') ? null : request.detectContentTypeHeader()
  if (type !== null) headers['Content-Type'] = type
  const { method, keepalive, cache, priority, mode, redirect, referrer, integrity, referrerPolicy } =
    request as HttpRequest<unknown> & RequestInit
  const credentials = request.withCredentials ? 'include' : (request.credentials as RequestCredentials | undefined)
  const all = {
    method,
    headers,
    body: request.serializeBody(),
    signal,
    credentials,
    keepalive,
    cache,
    priority,
    mode,
    redirect,
    referrer,
    integrity,
    referrerPolicy,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

async function read(
  response: Response,
  { responseType }: AnyRequest,
  tell?: (event: HttpDownloadProgressEvent) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!response.body) return null
  if (!tell) return new Uint8Array(await response.arrayBuffer())
  const length = Number(response.headers.get('content-length') || NaN)
  const decoder = responseType === 'text' ? decoderFor(response) : undefined
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let loaded = 0
  let partialText = ''
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
    loaded += value.length
    if (decoder) partialText += decoder.decode(value, { stream: true })
    tell({
      type: HttpEventType.DownloadProgress,
      loaded,
      ...(length >= 0 && { total: length }),
      ...(decoder && { partialText }),
    })
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer())
}

function parse({ responseType }: AnyRequest, bytes: Uint8Array<ArrayBuffer>, response: Response): unknown {
  if (responseType === 'arraybuffer') return bytes.buffer
  if (responseType === 'blob') return new Blob([bytes], { type: response.headers.get('content-type') ?? '' })
  if (responseType === 'text') return decoderFor(response).decode(bytes)
  const text = new TextDecoder().decode(bytes).replace(XSSI, '')
  if (!text) return null
  try {
    return JSON.parse(text)
  } catch (error) {
    // The body of an error need not be JSON.
    if (!response.ok) return text
    throw error
  }
}

function decoderFor(response: Response): TextDecoder {
  const charset = /charset=["']?([^\s;"']+)/i.exec(response.headers.get('content-type') ?? '')?.[1]
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}
