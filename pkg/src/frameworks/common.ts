// Code that the bindings share. Each entry contains its own copy, so that an app loads a single file.

import { isTokenError, TokenError } from '../error.js'
import type { TokenManager } from '../types.js'

/** An error for a mistake in the app. The message must say how to fix it. */
export function mistake(message: string): TokenError {
  return new TokenError('invalid-argument', message)
}

/** Throws unless `auth` is a manager. `where`: the function that was given it. */
export function checked<Manager extends TokenManager<any>>(auth: Manager, where: string): Manager {
  if (typeof auth?.subscribe === 'function' && typeof auth.known === 'function') return auth
  const got = auth === undefined || auth === null ? String(auth) : 'another object, or a manager of an older tokenkeep'
  throw mistake(`${where}: takes the manager that createTokenManager returns, and got ${got}.`)
}

/** The error to show to the app: a disposed manager is a mistake of the app, not an outage. */
export function explained(error: unknown, where: string): TokenError {
  if (isTokenError(error) && error.code !== 'disposed') return error
  return mistake(
    `${where}: the manager was disposed. Make it once, at module scope, and let it live as long as the page.`,
  )
}

/** Calls `report` if the manager was already disposed when it was passed. Never asks the server. */
export function ifDisposed(auth: TokenManager<any>, where: string, report: (error: TokenError) => void): void {
  if (auth.state.status === 'unknown') return
  auth.known().catch((error: unknown) => {
    if (isTokenError(error) && error.code === 'disposed') report(explained(error, where))
  })
}

// A global mark of a binding's first copy, so that another copy can explain why it finds no provider.
const mark = (binding: string) => Symbol.for(`tokenkeep.${binding}`)
const marks = globalThis as unknown as Record<symbol, unknown>

/** Records that this copy, identified by `own`, has a provider. */
export function provided(binding: string, own: unknown): void {
  marks[mark(binding)] ??= own
}

/** An error that says why there is no provider: it is missing, or it is from another copy. */
export function missing(binding: string, own: unknown, remedy: string): TokenError {
  const other = marks[mark(binding)]
  return mistake(
    other && other !== own
      ? `tokenkeep/${binding}: the page has two copies of the package, and the provider is the other copy's. Let the bundler find one of them (resolve.dedupe: ['tokenkeep']).`
      : `tokenkeep/${binding}: there is no manager here. ${remedy}`,
  )
}
