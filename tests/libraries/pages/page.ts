// What the tests call in the page. All of it speaks in plain data, which crosses to Node unharmed.

import { createTokenManager, isTokenError, type TokenManager } from 'tokenkeep'

const page = globalThis as Record<string, any>

/** Takes a manager for `auth`, and lists its events in `events`. */
export function watch(auth: TokenManager): void {
  page.auth = auth
  page.events = []
  auth.addEventListener('refresh', () => page.events.push('refresh'))
  auth.addEventListener('signout', ({ reason }) => page.events.push(`signout ${reason}`))
  auth.addEventListener('refresherror', ({ error }) => page.events.push(`refresherror ${error.code}`))
}

/** Another manager, beside `auth`. */
page.make = (options: object) => createTokenManager({ refresh: '/auth/refresh', ...options })

page.signIn = (username = 'alice') => page.auth.login('/auth/login', { body: new URLSearchParams({ username, password: 'any' }) }).then(() => {})

/** How a promise ended: `{ status, body }` of a response, `{ value }`, `{ error }` of ours, or `{ thrown }`. */
page.outcome = (promise: Promise<unknown>) => Promise.resolve(promise).then(
  async (value) => (value instanceof Response ? { status: value.status, body: await value.text() } : { value }),
  (error) => (isTokenError(error) ? { error: { ...error, message: error.message } } : { thrown: String(error) }),
)

/** What an app can see of an error, and of what is in it. */
const visible = (error: any): unknown => {
  if (isTokenError(error)) return { token: error.code, retryable: error.retryable }
  if (typeof error !== 'object' || !error) return error
  const { name, code, status, statusCode, response, cause, networkError, error: text, data } = error
  const codes = (error.errors ?? error.graphQLErrors ?? response?.errors)?.map(({ extensions }: any) => extensions?.code)
  const found = { name, codes, code, status: status ?? statusCode ?? response?.status, cause: visible(cause), networkError: visible(networkError) }
  return JSON.parse(JSON.stringify(error instanceof Error ? found : { ...found, error: text, data }))
}

/** How a promise ended: `{ value }`, or `{ error }` as far as an app can tell it from others. */
page.seen = (promise: Promise<unknown>) => promise.then((value) => ({ value }), (error) => ({ error: visible(error) }))

page.isOpen = true
