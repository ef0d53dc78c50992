// NocoBase: any answer may bring the next token.

import type { TokenManagerOptions } from '../types.js';

/**
 * Options for [NocoBase](https://www.nocobase.com). It has no refresh: a token that has run out is renewed by the call that carries it, and the
 * answer has the new one in `x-new-token`. Its 401s mean "sign in again", save the one to an event stream.
 */
export const nocobase = {
  refresh: false,
  logout: { url: '/api/auth:signOut', send: 'access' },
  adopt: { header: 'x-new-token' },
  unauthorized: [],
  ended: {
    status: 401,
    body: {
      path: 'errors.*.code',
      equals: ['EMPTY_TOKEN', 'INVALID_TOKEN', 'BLOCKED_TOKEN', 'EXPIRED_SESSION', 'TOKEN_RENEW_FAILED', 'NOT_EXIST_USER', 'USER_HAS_NO_ROLES_ERR'],
    },
  },
  response: { accessToken: 'data.token' },
  subject: 'userId',
} as const satisfies TokenManagerOptions;
