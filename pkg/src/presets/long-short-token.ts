// The "long and short token" scheme: every answer is HTTP 200 with a code in the body.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for the usual codes: 40101, the short token has expired; 40102, the long token has expired; 40103, the user has
 * signed in elsewhere. For other codes: `unauthorized: { body: { path: 'code', equals: [401] } }`.
 */
export const longShortToken = {
  refresh: { url: '/api/token/refresh' },
  logout: { url: '/api/logout', send: 'refresh' },
  attach: { header: 'X-Token', scheme: '' },
  unauthorized: { body: { path: 'code', equals: 40101 } },
  ended: { body: { path: 'code', equals: [40102, 40103] } },
  rejected: { body: { path: 'code', equals: [40001, 40102, 40103] } },
  refreshToken: { header: 'X-Long-Token' },
  response: { accessToken: 'data.token', refreshToken: 'data.longToken', expiresAt: 'data.expireAt' },
} as const satisfies TokenManagerOptions
