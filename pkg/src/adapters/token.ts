// The token as an adapter asks for it: before a request, and once more where that was refused.

import { isTokenError, type TokenError } from '../error.js';
import type { TokenManager } from '../types.js';

type Manager = Pick<TokenManager<any>, 'getAccessToken'>;

/** A challenge that a new token does not cure (RFC 6750, section 3.1, and RFC 9470). */
export const INCURABLE = /\berror="?insufficient_/i;

/** The token of now; `undefined` where nobody is signed in: as with `fetch`, who is not may ask, too. */
export function firstToken(auth: Manager): Promise<string | undefined> {
  return auth.getAccessToken().catch(noneIf(({ code }) => code === 'signed-out'));
}

/**
 * The token after the one that was refused. `undefined` where there is none, and that is no outage: the session is over, or is another
 * one, which may be another user's, or the API says 401 where it means 403.
 */
export function newerToken(auth: Manager, refused: string, by: string): Promise<string | undefined> {
  return auth.getAccessToken({ refused, by }).catch(noneIf(({ retryable }) => !retryable));
}

function noneIf(isNone: (error: TokenError) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!isTokenError(error) || !isNone(error)) throw error;
  };
}
