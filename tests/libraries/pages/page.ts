// The functions that tests call in the page. They use plain data, which can be passed to Node.

import { createTokenManager, isTokenError, type TokenManager } from 'tokenkeep'

const page = globalThis as Record<string, any>

/** Uses a manager as `auth`, and lists its events in `events`. */
export function watch(auth: TokenManager): void {
  page.auth = auth
  page.events = []
  auth.addEventListener('refresh', () => page.events.push('refresh'))
  auth.addEventListener('signout', ({ reason }) => page.events.push(`signout ${reason}`))
  auth.addEventListener('refresherror', ({ error }) => page.events.push(`refresherror ${error.code}`))
}

/** Another manager beside `auth`. */
page.make = (options: object) => createTokenManager({ refresh: '/auth/refresh', ...options })

page.signIn = (username = 'alice') =>
  page.auth.login('/auth/login', { body: new URLSearchParams({ username, password: 'any' }) }).then(() => {})

/** The outcome of a promise: `{ status, body }` of a response, `{ value }`, `{ error }` of ours, or `{ thrown }`. */
page.outcome = (promise: Promise<unknown>) =>
  Promise.resolve(promise).then(
    async (value) => (value instanceof Response ? { status: value.status, body: await value.text() } : { value }),
    (error) => (isTokenError(error) ? { error: { ...error, message: error.message } } : { thrown: String(error) }),
  )

/** The parts of an error, and of what it contains, that an app can see. */
const visible = (error: any): unknown => {
  if (isTokenError(error)) return { token: error.code, retryable: error.retryable }
  if (typeof error !== 'object' || !error) return error
  const { name, code, status, statusCode, response, cause, networkError, error: text, data } = error
  const codes = (error.errors ?? error.graphQLErrors ?? response?.errors)?.map(
    ({ extensions }: any) => extensions?.code,
  )
  const found = {
    name,
    codes,
    code,
    status: status ?? statusCode ?? response?.status,
    cause: visible(cause),
    networkError: visible(networkError),
  }
  return JSON.parse(JSON.stringify(error instanceof Error ? found : { ...found, error: text, data }))
}

/** The outcome of a promise: `{ value }`, or `{ error }` with the parts that an app can distinguish. */
page.seen = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error: visible(error) }),
  )

page.isOpen = true
