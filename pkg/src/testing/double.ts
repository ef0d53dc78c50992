// The test double. It has no protocol: no automatic refresh, no other tabs, no time. It shares with the package what an app can observe:
// which events happen and in which order, the state, and the results of calls.

import { TokenError } from '../error.js'
import { createEvents, isEvent } from '../events.js'
import { failure, reusable, type Failure } from './failures.js'
import {
  absolute,
  fits,
  isCovered,
  isRequest,
  request,
  signalOf,
  withToken,
  type Arguments,
  type Recorded,
} from './requests.js'
import { copied, endOf, payload, SIGNED_OUT } from './session.js'
import { frozen } from '../frozen.js'
import { UNKNOWN } from '../state.js'
import type { RefusedToken, SignoutReason, TokenManagerEventMap, Tokens, TokenState } from '../types.js'
import type {
  TestAnswer,
  TestCall,
  TestControls,
  TestFailure,
  TestHold,
  TestResponse,
  TestSession,
  TestTarget,
  TestTokenManager,
  TestTokenManagerOptions,
} from '../testing.js'

/** How a refresh ends. `error`: why there is no new token; not set if the session was replaced meanwhile. */
type Landing = { done: true } | { done: false; error?: Error }
type Responder = TestResponse | ((call: TestCall) => TestResponse | Promise<TestResponse>)

const error = (...[code, message]: ConstructorParameters<typeof TokenError>) => new TokenError(code, message)
const disposed = () => error('disposed', 'The token manager was disposed.')
const changedMeanwhile = () => error('session-changed', 'The session has changed meanwhile; start again.')

const refusal = failure('refresh', 'rejected')

/** See `createTestTokenManager`. */
export function createDouble<Claims extends object>(
  options: TestTokenManagerOptions<Claims>,
): TestTokenManager<Claims> {
  const { subject = 'sub', exposeToken } = options
  const apis = options.apis?.map((api) => `${api as string}`)
  const events = createEvents()
  const calls: Recorded[] = []
  let state: TokenState<Claims>
  let token: string | undefined
  let isOver = false
  let made = 0
  /** Counts the sessions. */
  let epoch = 0
  let logouts = 0
  let isDisposed = false
  let flight: { landing: Promise<Landing>; land: (landing: Landing) => void } | undefined
  const failing = new Map<TestFailure, Failure>()
  const held = new Map<TestHold, { until: Promise<void>; release: () => void }>()
  const answers = new Map<string, TestAnswer<Claims>>()
  const responders: [TestTarget, Responder][] = []
  /** All tokens of the current session. */
  const own = new Set<string>()
  /** By URL: the token that replaced one that this URL had refused. */
  const renewedFor = new Map<string | undefined, string>()
  /** Rejects waiting calls when the manager is disposed. */
  const waiting = new Set<(error: Error) => void>()
  const notices: [keyof TokenManagerEventMap, Record<string, unknown>][] = []
  let isTelling = false

  /** Dispatches all events of one change before those of the next, even if a listener causes the next. */
  function tell(...facts: typeof notices): void {
    if (!isDisposed) notices.push(...facts)
    if (isTelling) return
    isTelling = true
    for (let next; (next = notices.shift());) events.dispatch(...next)
    isTelling = false
  }

  const changed = (next: TokenState<Claims>): (typeof notices)[number] => {
    state = next
    return ['change', {}]
  }

  function hold({
    claims = null,
    accessToken = `test-token-${++made}`,
    expiresAt = null,
    sessionExpiresAt = null,
  }: TestSession<Claims> = {}) {
    token = accessToken
    own.add(token)
    isOver = false
    return changed(Object.freeze({ status: 'signed-in', claims: copied(claims), expiresAt, sessionExpiresAt }))
  }

  function land(landing: Landing): void {
    const landed = flight
    flight = undefined
    landed?.land(landing)
  }

  /** Ends the current session, and with it the calls that wait for it. */
  function turn(): void {
    epoch++
    token = undefined
    own.clear()
    renewedFor.clear()
    land({ done: false })
  }

  function enter(session?: TestSession<Claims>): void {
    turn()
    tell(hold(session))
  }

  function renew(session: TestSession<Claims> | undefined, json: unknown): void {
    const { claims, expiresAt, sessionExpiresAt } = state
    const facts = [
      hold(session ?? { claims, expiresAt, sessionExpiresAt }),
      ['refresh', { answer: json }] as (typeof notices)[number],
    ]
    land({ done: true })
    tell(...facts)
  }

  function leave(reason: SignoutReason, cause?: Error): void {
    const { status } = state
    if (reason === 'logout' || reason === 'other-tab') turn()
    token = undefined
    const facts = status === 'signed-out' ? [] : [changed(SIGNED_OUT)]
    if (status === 'signed-in') facts.push(['signout', { reason, ...(cause && { error: cause }) }])
    land({ done: false, ...(cause && { error: cause }) })
    tell(...facts)
  }

  function failed(cause: Error): void {
    if ((cause as TokenError).code === 'rejected') return leave('rejected', cause)
    land({ done: false, error: cause })
    tell(['refresherror', { error: cause }])
  }

  /** Starts a refresh or joins the one in flight. The test plays the server. */
  function fly(): Promise<Landing> {
    if (!flight) {
      let land!: (landing: Landing) => void
      const landing = new Promise<Landing>((resolve) => (land = resolve))
      const mine = (flight = { landing, land })
      void freed('refresh').then(() => {
        if (flight === mine) arrive()
      })
    }
    return flight.landing
  }

  /** Ends the refresh as the test has set it. If the test has set nothing, the refresh stays pending. */
  function arrive(): void {
    const fails = failing.get('refresh')
    const answer = answers.get('refresh')
    if (fails) failed(fails())
    else if (answer || state.status === 'signed-in') renew(answer?.session, frozen(copied(answer?.json ?? {})))
    else if (state.status === 'signed-out') failed(refusal())
  }

  async function freed(method: TestHold): Promise<void> {
    await held.get(method)?.until
  }

  function failsNow(method: TestFailure): void {
    const fails = failing.get(method)
    if (fails) throw fails()
  }

  function check(): void {
    if (isDisposed) throw disposed()
    failsNow('ready')
  }

  /** The promise of a call. The caller's signal and `dispose` reject it. */
  function promised<T>(call: Recorded, work: () => T | Promise<T>): Promise<T> {
    calls.push(call)
    return new Promise((resolve, reject) => {
      check()
      const signal = signalOf(call)
      const abort = () => reject(signal!.reason as Error)
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      waiting.add(reject)
      const end = () => {
        waiting.delete(reject)
        signal?.removeEventListener('abort', abort)
      }
      new Promise<T>((done) => done(work())).then(resolve, reject).finally(end)
    })
  }

  /** The token for a call, after a refresh if necessary; `undefined` without a session. */
  function usable(): string | undefined | Promise<string | undefined> {
    if (state.status === 'signed-out' || (token !== undefined && !isOver)) return token
    const began = epoch
    return fly().then((landing) => {
      if (epoch !== began) throw changedMeanwhile()
      if (!landing.done && landing.error && state.status !== 'signed-out') throw landing.error
      return token
    })
  }

  async function answered(call: Recorded, sent: Arguments): Promise<Response> {
    const [, responder] = responders.find(([target]) => fits(target, call)) ?? []
    if (responder !== undefined) {
      const response = await (typeof responder === 'function' ? responder(call) : responder)
      if (response instanceof Error) throw response
      return reusable(response)
    }
    const send = options.fetch ?? globalThis.fetch
    if (!send)
      throw error(
        'invalid-argument',
        `fetch: ${call.method} ${call.url} has no answer, and there is no fetch here; set an answer with test.respond, or the option fetch.`,
      )
    return send(...sent)
  }

  function travel(call: Recorded): Promise<Response> {
    const send = (token?: string) => answered(call, withToken(call, token, options.attach))
    const leave = () => {
      failsNow('fetch')
      const token = usable()
      return token instanceof Promise ? token.then(send) : send(token)
    }
    return promised(call, () => {
      if (!isCovered(call, apis)) return send()
      // Send in the same turn if nothing holds the call.
      return held.has('fetch') ? freed('fetch').then(leave) : leave()
    })
  }

  function asks<T>(name: 'login' | 'exchange', args: unknown[]): Promise<T> {
    return promised(request(name, args, 'POST'), async () => {
      demandAddress(name, args[0])
      if (name === 'exchange' && (await usable()) === undefined)
        throw error('signed-out', 'Nobody is signed in; sign in first.')
      const sessions = logouts
      await freed(name)
      failsNow(name)
      if (sessions !== logouts) throw changedMeanwhile()
      const { json = {}, session } = { ...answers.get(name) }
      enter(session)
      return (json === undefined ? json : JSON.parse(JSON.stringify(json))) as T
    })
  }

  function demandAddress(name: string, input: unknown): void {
    const isAddress = typeof input === 'string' || input instanceof URL || isRequest(input)
    if (!isAddress)
      throw error('invalid-argument', `${name}: takes a string, a URL or a Request, as fetch does. Nothing was sent.`)
  }

  function take(tokens: Tokens): void {
    const { accessToken, expiresIn } = { ...tokens }
    if (typeof accessToken !== 'string' || !accessToken)
      throw error('invalid-argument', 'setTokens: accessToken must be a non-empty string.')
    const claims = payload(accessToken) as Claims | null
    const session = { claims, accessToken, expiresAt: endOf(claims as Record<string, unknown> | null, expiresIn) }
    const [mine, theirs] = [state.claims, claims].map((claims) => (claims as Record<string, unknown> | null)?.[subject])
    if (mine !== undefined && mine === theirs) renew(session, undefined)
    else enter(session)
  }

  const test: TestControls<Claims> = {
    calls,
    signIn(session) {
      if (state.status === 'unknown') renew(session ?? {}, undefined)
      else enter(session)
    },
    signOut: (reason = 'rejected') => leave(reason, reason === 'rejected' ? refusal() : undefined),
    unknown() {
      turn()
      if (state.status !== 'unknown') tell(changed(UNKNOWN))
    },
    expire: () => void (isOver = true),
    stepUp: (challenges = []) => tell(['stepup', { challenges: copied(challenges) }]),
    fail(method, cause, details) {
      const fails = failure(method, cause, details)
      failing.set(method, fails)
      if (method === 'refresh' && flight && !held.has('refresh')) failed(fails())
    },
    recover: (method) => (method ? void failing.delete(method) : failing.clear()),
    hold(method) {
      let release!: () => void
      const until = new Promise<void>((resolve) => (release = resolve))
      const mine = held.get(method) ?? { until, release }
      held.set(method, mine)
      return () => {
        if (held.get(method) === mine) held.delete(method)
        mine.release()
      }
    },
    answer: (method, answer) => {
      answers.set(method, answer)
      if (method === 'refresh' && flight && !held.has('refresh')) arrive()
    },
    respond: (target, response) => void responders.unshift([target, response]),
    reset() {
      isDisposed = isOver = false
      calls.length = responders.length = made = 0
      failing.clear()
      answers.clear()
      for (const { release } of held.values()) release()
      held.clear()
      turn()
      const { session } = options
      if (session) tell(hold(session))
      else if (state !== (session === null ? SIGNED_OUT : UNKNOWN))
        tell(changed(session === null ? SIGNED_OUT : UNKNOWN))
    },
  }

  const dispose = () => {
    calls.push({ name: 'dispose', args: [] })
    if (isDisposed) return
    isDisposed = true
    for (const reject of waiting) reject(disposed())
    waiting.clear()
    turn()
  }

  const manager = {
    get ready() {
      const ready = new Promise<void>((resolve) => {
        failsNow('ready')
        resolve()
      })
      ready.catch(() => {})
      return ready
    },
    get state() {
      return state
    },
    known: () =>
      promised({ name: 'known', args: [] }, async () => {
        while (state.status === 'unknown' && !isDisposed) {
          const landing = await fly()
          if (!landing.done && landing.error && (state as TokenState).status === 'unknown') throw landing.error
        }
        return state
      }),
    fetch: (...args: unknown[]) => travel(request('fetch', args, 'GET')),
    login: (...args: unknown[]) => asks('login', args),
    exchange: (...args: unknown[]) => asks('exchange', args),
    signedIn: () => promised({ name: 'signedIn', args: [] }, () => test.unknown()),
    setTokens: (tokens: Tokens) => promised({ name: 'setTokens', args: [tokens] }, () => take(tokens)),
    refresh: () =>
      promised({ name: 'refresh', args: [] }, async () => {
        const landing = await fly()
        if (!landing.done) throw landing.error ?? changedMeanwhile()
      }),
    logout(...args: unknown[]) {
      const isBare = args[0] === undefined || isEvent(args[0])
      return promised(isBare ? { name: 'logout', args: [] } : request('logout', args, 'POST'), async () => {
        if (!isBare) demandAddress('logout', args[0])
        logouts++
        leave('logout')
        // A listener may have begun the next session, which the logout would end if it were sent now.
        if (state.status !== 'signed-out') throw changedMeanwhile()
        await freed('logout')
        failsNow('logout')
      })
    },
    getAccessToken: (about?: RefusedToken) =>
      promised({ name: 'getAccessToken', args: about === undefined ? [] : [about] }, async () => {
        if (!exposeToken) throw error('not-exposed', 'To get the token, set the option exposeToken: true.')
        const { refused, by } = { ...about }
        const place = by === undefined ? undefined : absolute(by)
        // A refused token of another session does not get a token of this one.
        if (refused !== undefined && state.status !== 'signed-out' && !own.has(refused)) throw changedMeanwhile()
        if (refused !== undefined && refused === token) {
          if (place !== undefined && renewedFor.get(place) === token)
            throw error('forbidden', 'The API refuses a new token, too: its 401 means 403.')
          isOver = true
        }
        const mine = await usable()
        if (mine === undefined) throw error('signed-out', 'Nobody is signed in; sign in first.')
        if (refused !== undefined && place !== undefined) renewedFor.set(place, mine)
        return mine
      }),
    peekAccessToken() {
      calls.push({ name: 'peekAccessToken', args: [] })
      if (!exposeToken) throw error('not-exposed', 'To get the token, set the option exposeToken: true.')
      return isOver ? undefined : token
    },
    subscribe: events.subscribe,
    addEventListener: events.add,
    removeEventListener: events.remove,
    dispose,
    test,
  }
  if (Symbol.dispose) Object.defineProperty(manager, Symbol.dispose, { value: dispose })

  state = UNKNOWN
  if (options.session) hold(options.session)
  else if (options.session === null) state = SIGNED_OUT
  return manager as unknown as TestTokenManager<Claims>
}
