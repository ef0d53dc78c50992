// The worker's side: one manager, and a port for each page. A hostile script can forge the page's messages. It can then
// use the session as the page can, but no more: options are accepted once, and no message reads a token.

import { covers } from '../covers.js'
import { TokenError } from '../error.js'
import { snapshot } from '../snapshot.js'
import type { SignoutEvent, TokenManager, TokenManagerEventMap } from '../types.js'
import { sendError } from './errors.js'
import {
  VERSION,
  type Facts,
  type ToPage,
  type ToWorker,
  type WireError,
  type WireRequest,
  type WireResponse,
} from './messages.js'
import { parseOptions, place, type ParsedOptions } from './options.js'
import { revive } from './request.js'
import { pump, sendResponse } from './response.js'
import { textOf } from './text.js'
import { shown, told } from './told.js'

/** A page. */
interface Page {
  post(message: ToPage): void
  visible: boolean
  /** The id of the page's last logout call that the manager knows of. */
  left: number
}

type Of<Kind extends ToWorker['kind']> = Extract<ToWorker, { kind: Kind }>

/** How a worker gets its options, and stores data. */
export interface Kind {
  /** Options from the worker's own file. No page may pass any. */
  own?: unknown
  /** Options that the worker knows before the first page connects. Pages must pass the same. */
  stated?: Record<string, unknown> | undefined
  /** Data that the worker stores itself, because it must outlive the worker. Without this, the pages store it. */
  kept?: Kept
}

/** Data that outlives a worker, which may be ended at any time. It contains no secret. */
export interface Kept {
  /** Endpoints that have answered a login: method, origin and path. */
  readonly logins: { has(endpoint: string): boolean; add(endpoint: string): void }
  /** Whether the user has signed out, and has not signed in again. */
  isOut: boolean
  /** Resolves when everything so far is stored. */
  written(): Promise<unknown>
}

/** The connection to a page. */
export interface Line {
  /** Resolves when the call with this id is over, or if it does not arrive in time. */
  until(call: number): Promise<void>
}

/** How long an announced call may take to arrive, in milliseconds. */
const ANNOUNCED = 10_000

/** The server that pages connect to. */
export type Server = ReturnType<typeof createServer>

export function createServer(make: (options: unknown) => TokenManager, { own, stated, kept }: Kind) {
  const pages = new Set<Page>()
  const logins = kept?.logins ?? new Set<string>()
  /** The options, or the error in them. */
  let parsed: ParsedOptions | TokenError | undefined
  /** The options of the first page as a text, for comparison. */
  let first: string | undefined
  let manager: TokenManager | undefined
  /** The page that called the logout in progress. The other pages see the reason `other-tab`. */
  let leaving: Page | undefined

  if (own !== undefined) take(() => snapshot(own) as Record<string, unknown>)
  else if (stated) {
    first = textOf(stated)
    take(() => stated)
  }

  function take(options: () => Record<string, unknown>): void {
    try {
      parsed = parseOptions(options())
    } catch (cause) {
      parsed =
        cause instanceof TokenError
          ? cause
          : new TokenError('invalid-option', 'The options could not be read.', { cause })
    }
  }

  function tell(message: ToPage): void {
    for (const page of pages) page.post(message)
  }

  function start({ options }: ParsedOptions): TokenManager {
    // The user stays signed out when the worker was ended and started again. A pending logout needs no such option.
    const made = make(kept?.isOut && !Object.keys(told.marks).length ? { ...options, restore: 'manual' } : options)
    made.addEventListener('change', () => {
      if (kept && made.state.status === 'signed-in') kept.isOut = false
      for (const page of pages) say(page, made)
    })
    made.addEventListener('refresh', ({ answer }) => event('refresh', { answer }))
    made.addEventListener('stepup', ({ challenges }) => event('stepup', { challenges }))
    made.addEventListener('refresherror', ({ error }) => event('refresherror', {}, error))
    made.addEventListener('signout', ({ reason, error }: SignoutEvent) => {
      if (kept && (reason === 'logout' || reason === 'other-tab')) kept.isOut = true
      for (const page of pages) {
        const isOthers = reason === 'logout' && leaving && page !== leaving
        page.post({
          kind: 'event',
          type: 'signout',
          members: { reason: isOthers ? 'other-tab' : reason },
          error: crossing(error),
        })
      }
      leaving = undefined
    })
    return made
  }

  function say({ post, left }: Page, { state }: TokenManager): void {
    post({ kind: 'state', state, left })
  }

  function event(type: keyof TokenManagerEventMap, members: Record<string, unknown>, error?: unknown): void {
    tell({ kind: 'event', type, members, error: crossing(error) })
  }

  /** The error of an event. The body of a response in it is not sent. */
  function crossing(error: unknown): WireError | undefined {
    return error === undefined ? error : sendError(error, (response) => sendResponse(response, adopt(), undefined))
  }

  const adopt = () => (parsed instanceof TokenError ? undefined : parsed?.adopt)

  /** Connects a page. `left` is called when it leaves, with whether it has disposed its manager. */
  function attend(port: MessagePort, left?: (isDisposed: boolean, manager: TokenManager | undefined) => void): Line {
    const ends = new Map<number, () => void>()
    const calls = new Map<number, { abort: AbortController; outlives: boolean }>()
    const bodies = new Map<number, (body: Blob | undefined) => void>()
    const streams = new Map<number, ReturnType<typeof pump>>()
    let last = 0
    let isGreeted = false
    const page: Page = { post: (message) => port.postMessage(message), visible: true, left: 0 }

    port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
      try {
        hear(data)
      } catch {
        // Ignore malformed messages.
      }
    }
    // Some platforms send this event after a page has crashed.
    port.addEventListener('close', () => leave(false))

    function hear(message: ToWorker): void {
      const { kind } = message
      if (kind === 'hello' && !isGreeted) return greet(message)
      if (kind === 'bye') return leave(message.disposed)
      if (!isGreeted) return
      if (kind === 'facts') return facts(message.facts)
      if (!manager) return
      if (kind === 'fetch') void send(manager, message)
      else if (kind === 'call') void call(manager, message)
      else if (kind === 'body') bodies.get(message.id)?.(message.body)
      else if (kind === 'abort') calls.get(message.id)?.abort.abort()
      else if (kind === 'pull') streams.get(message.stream)?.pull()
      else if (kind === 'cancel') streams.get(message.stream)?.cancel()
      else if (kind === 'marks') remember(message.marks)
      else if (kind === 'shown') shown(message.persisted === true)
    }

    function greet({ version, options, marks, maybeSignIn, resumes }: Of<'hello'>): void {
      if (version !== VERSION)
        return refuse(
          new TokenError('not-loaded', 'The page and the worker use different versions of tokenkeep. Reload the page.'),
        )
      const [name] = Object.keys(options)
      const text = textOf(options)
      if (own !== undefined) {
        if (name !== undefined)
          return refuse(
            new TokenError(
              'invalid-option',
              `option \`${name}\` must not be set in the page: the worker file contains the options.`,
            ),
          )
      } else if (first === undefined) {
        first = text
        take(() => options)
      } else if (first !== text)
        return refuse(
          new TokenError(
            'invalid-option',
            'Another page has started the worker with other options. Give managers with different options different names.',
          ),
        )
      if (parsed instanceof TokenError) return refuse(parsed)
      isGreeted = true
      if (resumes) {
        last = Number(resumes.streams) || 0
        page.left = Number(resumes.left) || 0
      }
      if (!manager) {
        remember(marks)
        told.maybeSignIn = maybeSignIn === true
        // A newly opened page may restore the session.
        if (kept && !resumes) kept.isOut = false
      } else if (
        maybeSignIn === true &&
        !resumes &&
        manager.state.status === 'signed-out' &&
        !Object.keys(told.marks).length
      )
        void manager.signedIn().catch(() => {})
      const { apis, cookies } = parsed!
      page.post({ kind: 'welcome', version: VERSION, apis, cookies })
    }

    function refuse(error: TokenError): void {
      page.post({ kind: 'failed', error: sendError(error, () => undefined) })
    }

    function remember(marks: Record<string, string>): void {
      if (!kept) told.marks = only(marks, (text) => typeof text === 'string')
    }

    function facts({ cookies, controlled, visible }: Facts): void {
      told.cookies = only(cookies, (value) => value === undefined || value === null || typeof value === 'string')
      // No service worker stands between a service worker and the network.
      told.controlled = !kept && controlled === true
      page.visible = visible === true
      const isNew = !pages.has(page)
      pages.add(page)
      const { state, ready } = begun()
      look()
      if (!isNew) return
      if (state.status !== 'unknown') say(page, manager!)
      ready.then(
        () => page.post({ kind: 'ready' }),
        (error) => page.post({ kind: 'failed', error: sendError(error, () => undefined) }),
      )
    }

    /** Describes a response for the page, and starts to send its body. */
    function cross(response: Response, over?: () => void): WireResponse {
      const { body } = response
      const stream = body ? ++last : undefined
      const wire = sendResponse(response, adopt(), stream)
      if (stream === undefined) over?.()
      else {
        const end = () => {
          streams.delete(stream)
          over?.()
        }
        const source = pump(body as ReadableStream<Uint8Array<ArrayBuffer>>, {
          chunk: (bytes) => page.post({ kind: 'chunk', stream, bytes }),
          end: () => {
            end()
            page.post({ kind: 'end', stream })
          },
          broken: (cause) => {
            end()
            page.post({ kind: 'broken', stream, error: sendError(cause, () => undefined) })
          },
        })
        streams.set(stream, {
          ...source,
          cancel() {
            end()
            source.cancel()
          },
        })
      }
      return wire
    }

    /**
     * Calls `work` with the arguments of `fetch`: synchronously, unless the body follows later. The page's `abort`
     * message aborts their signal.
     */
    async function withBody<T>(
      id: number,
      request: WireRequest,
      work: (url: string, init: RequestInit) => Promise<T>,
    ): Promise<T> {
      const { signal } = calls.get(id)!.abort
      let later: Blob | undefined
      if (typeof request.body === 'object' && 'later' in request.body) {
        later = await new Promise((resolve) => bodies.set(id, resolve))
        bodies.delete(id)
      }
      return work(...revive(request, later, signal))
    }

    function begin(id: number, request?: WireRequest): () => void {
      calls.set(id, { abort: new AbortController(), outlives: !request || request.init?.keepalive === true })
      return () => {
        calls.delete(id)
        ends.get(id)?.()
      }
    }

    async function send(manager: TokenManager, { id, request }: Of<'fetch'>): Promise<void> {
      const over = begin(id, request)
      try {
        check(request.url, request.init.method)
        const response = await withBody(id, request, manager.fetch)
        if (response.url) guard(response.url, undefined, response)
        page.post({ kind: 'response', id, response: cross(response, over) })
      } catch (error) {
        over()
        page.post({ kind: 'error', id, error: sendError(error, () => undefined) })
      }
    }

    async function call(manager: TokenManager, { id, method, request, tokens }: Of<'call'>): Promise<void> {
      const over = begin(id)
      const isLogin = method === 'login' || method === 'exchange'
      try {
        let value: unknown
        if (method === 'logout') {
          leaving ??= page
          if (!request) page.left = id
        }
        if (request && (isLogin || method === 'logout')) {
          // An exchange carries the token, so it may go only to the APIs and to the origins of the refresh and logout
          // endpoints.
          if (method === 'exchange' && !isOwnOrigin(request.url)) among(request.url)
          if (isLogin) logins.add(endpoint(request.init.method, request.url))
          value = await withBody<unknown>(id, request, (...args) => {
            if (!isLogin) page.left = id
            return manager[method](...args)
          })
        } else if (method === 'setTokens') await manager.setTokens(tokens!)
        else if (method === 'logout' || method === 'refresh' || method === 'known' || method === 'signedIn')
          await manager[method]()
        await kept?.written()
        // The state has already been sent in its own message.
        page.post({ kind: 'done', id, value: isLogin ? value : undefined })
      } catch (error) {
        await kept?.written()
        // The caller may read the body of a refusal. A successful response may contain a token that was not recognised.
        const answer = (response: Response) =>
          response.ok ? sendResponse(response, adopt(), undefined) : cross(response)
        page.post({
          kind: 'error',
          id,
          error: sendError(error, request ? answer : (response) => sendResponse(response, adopt(), undefined)),
        })
      } finally {
        over()
        if (method === 'logout') {
          if (leaving === page) leaving = undefined
          // The logout did not reach the manager, so the user is still signed in. Correct the page's state.
          if (page.left < id) {
            page.left = id
            say(page, manager)
          }
        }
      }
    }

    function leave(isDisposed: boolean): void {
      for (const { abort, outlives } of calls.values()) if (!outlives) abort.abort()
      for (const stream of streams.values()) stream.cancel()
      pages.delete(page)
      look()
      port.close()
      for (const end of ends.values()) end()
      left?.(isDisposed, manager)
    }

    return {
      until: (call) =>
        new Promise((resolve) => {
          const end = () => {
            ends.delete(call)
            resolve()
          }
          ends.get(call)?.()
          ends.set(call, end)
          setTimeout(() => calls.has(call) || end(), ANNOUNCED)
        }),
    }
  }

  function begun(): TokenManager {
    return (manager ??= start(parsed as ParsedOptions))
  }

  /** Throws if the app may not send this request with the token. */
  function check(url: string, method: string | undefined): void {
    among(url)
    guard(url, method)
  }

  function isOwnOrigin(url: string): boolean {
    const { origin } = new URL(url)
    return (parsed as ParsedOptions).own.some((own) => new URL(own).origin === origin)
  }

  function among(url: string): void {
    if (!covers((parsed as ParsedOptions).apis, new URL(url)))
      throw new TokenError('invalid-argument', 'request: the worker sends the token only to `apis`.')
  }

  /** Whether responses from this endpoint may contain tokens. */
  function givesTokens(url: string, method?: string): boolean {
    return (parsed as ParsedOptions).own.includes(place(url)!) || logins.has(endpoint(method, url))
  }

  /** Throws if the response may contain tokens, which no page may read, whichever way it asks. */
  function guard(url: string, method?: string, response?: Response): void {
    if (!givesTokens(url, method)) return
    void response?.body?.cancel().catch(() => {})
    throw new TokenError(
      'invalid-argument',
      'request: this endpoint returns tokens; call it with `login`, `exchange`, `refresh` or `logout`.',
    )
  }

  /** Updates whether any page is visible. */
  function look(): void {
    const visible = !pages.size || [...pages].some((page) => page.visible)
    if (visible === told.visible) return
    told.visible = visible
    shown(false)
  }

  if (!kept) told.mark = (key, text) => tell({ kind: 'mark', key, text })
  return {
    attend,
    begun,
    givesTokens,
    guard,
    /** The options, if they are known and valid. */
    parsed: () => (parsed instanceof TokenError ? undefined : parsed),
    /** Whether a page is connected. */
    isVisited: () => pages.size > 0,
  }
}

/** The members that have the expected type. The core must not get anything else from a page. */
function only<T>(members: Record<string, T>, is: (value: unknown) => boolean): Record<string, T> {
  const copy = Object.create(null) as Record<string, T>
  for (const name of Object.keys(members)) if (is(members[name])) copy[name] = members[name]!
  return copy
}

/** A key for an endpoint: its method, origin and path. */
function endpoint(method: string | undefined, url: string): string {
  return `${method?.toUpperCase()} ${place(url)}`
}
