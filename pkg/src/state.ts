// What is known of a session before anybody has asked: also what a server renders, and its page has until the browser has taken it over.

import type { TokenState } from './types.js';

export const UNKNOWN: TokenState<any> = /*#__PURE__*/ Object.freeze({ status: 'unknown', claims: null, expiresAt: null, sessionExpiresAt: null });
