// How adapters get the token: before a request, and again if the request was refused.

import { isTokenError, type TokenError } from '../error.js'
import type { TokenManager } from '../types.js'

type Manager = Pick<TokenManager<any>, 'getAccessToken'>

/** A challenge that a new token does not cure (RFC 6750, section 3.1, and RFC 9470). */
export const INCURABLE = /\berror="?insufficient_/i

/** The current token; `undefined` if nobody is signed in, because such requests are sent without a token, as with `fetch`. */
export function firstToken(auth: Manager): Promise<string | undefined> {
  return auth.getAccessToken().catch(noneIf(({ code }) => code === 'signed-out'))
}

/**
 * The token that follows the refused one. `undefined` if there is none for a reason other than an outage: the session is over or has
 * been replaced, perhaps by another user's, or the API's 401 means 403.
 */
export function newerToken(auth: Manager, refused: string, by: string): Promise<string | undefined> {
  return auth.getAccessToken({ refused, by }).catch(noneIf(({ retryable }) => !retryable))
}

function noneIf(isNone: (error: TokenError) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!isTokenError(error) || !isNone(error)) throw error
  }
}
