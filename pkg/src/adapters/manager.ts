// Checks the manager that an adapter is given.

import { TokenError } from '../error.js'
import type { TokenManager } from '../types.js'

/** Throws a `TokenError` unless `auth` is a manager that can work for the adapter called `name`. */
export function expectManager(auth: unknown, name: string): void {
  // The newest method that came with support for refused tokens: an older manager lacks it.
  if (typeof (auth as TokenManager | undefined)?.peekAccessToken !== 'function')
    throw new TokenError(
      'invalid-argument',
      `${name}: takes a manager that createTokenManager of this version returns.`,
    )
}
