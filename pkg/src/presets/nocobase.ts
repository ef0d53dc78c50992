// NocoBase: any answer may carry the next token.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for [NocoBase](https://www.nocobase.com). It has no refresh endpoint: a call with an expired token renews it, and the answer has the
 * new token in `x-new-token`. Its 401s mean "sign in again", except the 401 to an event stream.
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
      equals: [
        'EMPTY_TOKEN',
        'INVALID_TOKEN',
        'BLOCKED_TOKEN',
        'EXPIRED_SESSION',
        'TOKEN_RENEW_FAILED',
        'NOT_EXIST_USER',
        'USER_HAS_NO_ROLES_ERR',
      ],
    },
  },
  response: { accessToken: 'data.token' },
  subject: 'userId',
} as const satisfies TokenManagerOptions
