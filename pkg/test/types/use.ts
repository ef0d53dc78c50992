// What users write, and what they must not be able to write. Compiled, never run.

import {
  createTokenManager,
  isTokenError,
  TokenError,
  type AttachOptions,
  type NetworkErrorRule,
  type RefreshErrorEvent,
  type SignoutReason,
  type TokenErrorCode,
  type TokenManager,
  type TokenManagerOptions,
  type TokenState,
} from 'tokenkeep'
import { createTokenManager as fromFile } from 'tokenkeep/file'
import { createAccounts } from 'tokenkeep/accounts'
import { watchIdle } from 'tokenkeep/idle'
import { inspect } from 'tokenkeep/inspector'
import { can } from 'tokenkeep/permissions'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Same<A, B>): void {}

const auth = createTokenManager({ refresh: '/auth/refresh' })
same<typeof auth, TokenManager>(true)

// A drop-in replacement: code that takes the platform's fetch takes this one, and the other way round.
const platform: typeof globalThis.fetch = auth.fetch
const ours: TokenManager['fetch'] = globalThis.fetch
same<Parameters<TokenManager['fetch']>, Parameters<typeof globalThis.fetch>>(true)

// Every option.
const all = {
  refresh: {
    url: new URL('https://auth.test/token'),
    method: 'POST',
    headers: { 'X-Requested-With': 'tokenkeep' },
    body: { grant_type: 'refresh_token' },
    timeout: 10_000,
    credentials: 'include',
    csrf: { cookie: 'csrf_refresh_token', header: 'X-CSRF-TOKEN' },
  },
  logout: {
    url: '/auth/logout',
    method: 'DELETE',
    headers: () => ({ 'X-Key': 'k' }),
    timeout: 5_000,
    success: [410],
    send: 'access',
  },
  apis: ['/api', new URL('https://api.test/')],
  attach: { header: 'X-Token', scheme: '' },
  unauthorized: [
    { status: [401, 498] },
    { body: { path: 'error.code', equals: [40101, '40101', true] } },
    { networkError: true },
  ],
  ended: { status: 401, body: { path: 'error' }, redirected: true },
  stepUp: { status: 403, challenge: 'mfa_required' },
  rejected: [{ status: 422 }],
  adopt: { header: 'x-new-token' },
  response: {
    accessToken: ['meta.access_token', 'data.access_token'],
    refreshToken: 'data.refresh',
    expiresIn: [],
    expiresAt: 'data.expires',
  },
  csrf: { cookie: 'csrftoken', header: 'X-CSRFToken' },
  refreshToken: { json: 'refresh' },
  refreshBefore: 30_000,
  tabs: 'share',
  restore: 'lazy',
  exposeToken: false,
} as const satisfies TokenManagerOptions
createTokenManager(all)
createTokenManager({ refresh: '/r', refreshToken: 'cookie' })
createTokenManager({ refresh: '/r', refreshToken: { form: 'refresh_token' } })
createTokenManager({ refresh: '/r', refreshToken: { header: 'Authorization', scheme: 'Bearer' } })

createTokenManager({ refresh: false, attach: { query: 'access_token' } })
createTokenManager({
  refresh: async ({ refreshToken, signal }) => (signal.aborted ? null : { accessToken: refreshToken ?? '' }),
})
createTokenManager({
  refresh: '/r',
  attach: { cookie: true, csrf: { cookie: 'c', header: 'X-C' } },
  unauthorized: [],
  stepUp: [],
})
auth.addEventListener('stepup', ({ challenges }) => challenges[0]?.parameters.acr_values?.split(' '))

// @ts-expect-error a token has one place
createTokenManager({ refresh: '/r', attach: { query: 'token', cookie: true, header: 'X' } satisfies AttachOptions })
// @ts-expect-error no rule for a network error there
createTokenManager({ refresh: '/r', ended: { networkError: true } })
// @ts-expect-error it stands alone
createTokenManager({ refresh: '/r', unauthorized: { networkError: true, status: 401 } satisfies NetworkErrorRule })
createTokenManager({
  refresh: '/r',
  rejected: { redirected: true },
  ended: { body: { path: 'errors.*.code', equals: 'GONE' }, header: { name: 'x-end' } },
})
createTokenManager({
  refresh: '/r',
  name: 'shop',
  subject: 'user_id',
  sessionHint: 'in',
  login: { timeout: 1, incomplete: { body: { path: 'user', absent: true } } },
  offline: 'send',
})
// @ts-expect-error what is absent has no value
createTokenManager({ refresh: '/r', ended: { body: { path: 'user', absent: true, equals: 1 } } })
// @ts-expect-error a login is not redirected
createTokenManager({ refresh: '/r', login: { incomplete: { redirected: true } } })
// @ts-expect-error a function gives tokens or null
createTokenManager({ refresh: () => 'token' })
// @ts-expect-error the challenges are to be read
auth.addEventListener('stepup', (event) => (event.challenges = []))
// @ts-expect-error refresh is the one option without a default
createTokenManager({})
// @ts-expect-error no such option
createTokenManager({ refresh: '/r', refershBefore: 5 })
// @ts-expect-error no such mode
createTokenManager({ refresh: '/r', tabs: 'on' })
// @ts-expect-error milliseconds are a number
createTokenManager({ refresh: '/r', refreshBefore: '30s' })
// @ts-expect-error a list
createTokenManager({ refresh: '/r', apis: '/api' })
// @ts-expect-error one place only
createTokenManager({ refresh: '/r', refreshToken: 'json' })

// The state can be read, not written.
const state: TokenState = auth.state
same<TokenState['status'], 'unknown' | 'signed-in' | 'signed-out'>(true)
same<TokenState['expiresAt'], number | null>(true)
if (state.claims) same<(typeof state.claims)[string], unknown>(true)
// @ts-expect-error read-only
auth.state = state
// @ts-expect-error read-only
state.status = 'signed-in'

// useSyncExternalStore takes these two as they are.
declare function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, snapshot: () => T): T
same<ReturnType<typeof read>, TokenState>(true)
function read() {
  return useSyncExternalStore(auth.subscribe, () => auth.state)
}

// Events know what they carry.
auth.addEventListener('signout', (event) => same<typeof event.reason, SignoutReason>(true))
auth.addEventListener(
  'refresherror',
  { handleEvent: (event) => same<typeof event, RefreshErrorEvent>(true) },
  { once: true },
)
auth.addEventListener('change', (event) => same<typeof event, Event>(true))
auth.removeEventListener('refresh', null)
// @ts-expect-error a change has no reason
auth.addEventListener('change', (event) => event.reason)
// @ts-expect-error no such event
auth.addEventListener('login', () => {})

// The calls.
async function calls() {
  await auth.ready
  same<Awaited<ReturnType<typeof auth.fetch>>, Response>(true)
  const rest = await auth.login('/auth/login', { method: 'POST', body: new FormData() })
  same<typeof rest, unknown>(true)
  const { user } = await auth.login<{ user: string }>(new URL('https://auth.test/'))
  same<typeof user, string>(true)
  await auth.setTokens({ accessToken: 'x', expiresIn: 300, refreshToken: 'y' })
  // @ts-expect-error no token
  await auth.setTokens({ expiresIn: 300 })
  await auth.refresh()
  await auth.logout()
  await auth.logout(new Request('/auth/logout'), { keepalive: true })
  same<Awaited<ReturnType<typeof auth.getAccessToken>>, string>(true)
  same<Awaited<ReturnType<typeof auth.known>>, TokenState>(true)
  await auth.getAccessToken({ refused: 'x', by: new URL('https://api.test/') })
  // @ts-expect-error no such member
  await auth.getAccessToken({ refresh: true })
  same<ReturnType<typeof auth.peekAccessToken>, string | undefined>(true)
  const typed = createTokenManager<{ sub: string; roles: string[] }>({ refresh: '/auth/refresh' })
  same<typeof typed.state.claims, Readonly<{ sub: string; roles: string[] }> | null>(true)
  using disposed = auth
  disposed.dispose()
}

// Methods work detached: a lint rule about unbound methods has nothing to report.
const { fetch, login, logout, refresh, subscribe, getAccessToken } = auth

// Errors.
try {
  await calls()
} catch (error) {
  if (isTokenError(error)) {
    same<typeof error.code, TokenErrorCode>(true)
    same<typeof error.retryable, boolean>(true)
    same<typeof error.cause, unknown>(true)
    if (error.code === 'bad-status') error.status?.toFixed()
    // @ts-expect-error no such code
    if (error.code === 'bad-gateway') throw error
    // @ts-expect-error read-only
    error.code = 'network'
  }
}
new TokenError('network', 'message', { retryable: true, status: undefined, cause: new Response() }) satisfies Error

// The second entry accepts the WebAssembly in any form.
fromFile({ refresh: '/r' }, '/core.wasm')
fromFile({ refresh: '/r' }, new URL('https://cdn.test/core.wasm'))
fromFile({ refresh: '/r' }, globalThis.fetch('/core.wasm'))
fromFile({ refresh: '/r' }, new Uint8Array())
fromFile({ refresh: '/r' }, new WebAssembly.Module(new Uint8Array())) satisfies TokenManager
// @ts-expect-error from where?
fromFile({ refresh: '/r' })

export { platform, ours, fetch, login, logout, refresh, subscribe, getAccessToken }

// Code on top of a manager accepts one with the app's own claims, and knows them.
interface Mine {
  sub: string
  scope?: string
}
const typed = createTokenManager<Mine>({ refresh: '/auth/refresh' })
const idle = watchIdle(typed, { after: 60_000 })
same<typeof idle.state.status, 'active' | 'warning' | 'expired'>(true)
// @ts-expect-error: it takes milliseconds
watchIdle(typed, { after: '60s' })
const allowed: boolean = can(typed.state, ['read', 'write'], 'realm_access.roles')
const accounts = createAccounts({ create: (name) => createTokenManager<Mine>({ name, refresh: '/auth/refresh' }) })
same<typeof accounts.current, TokenManager<Mine> | undefined>(true)
const who: string | undefined = accounts.state.accounts[0]?.state.claims?.sub
const through: typeof globalThis.fetch = accounts.fetch
const entries: readonly { readonly text: string }[] = inspect(typed, { panel: false }).entries
void [idle, allowed, who, through, entries]
