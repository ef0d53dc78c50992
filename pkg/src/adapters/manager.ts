// Whom an adapter works for.

import { TokenError } from '../error.js';
import type { TokenManager } from '../types.js';

/** Throws a `TokenError` unless `auth` is a manager that can work for the adapter called `name`. */
export function expectManager(auth: unknown, name: string): void {
  // The youngest member of those that adapters use: older managers know nothing of refused tokens.
  if (typeof (auth as TokenManager | undefined)?.peekAccessToken !== 'function')
    throw new TokenError('invalid-argument', `${name}: takes a manager that createTokenManager of this version gives.`);
}
