// allauth's headless API, for apps, with its JWT strategy.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for [allauth headless](https://docs.allauth.org/en/latest/headless/) with `JWTTokenStrategy` and the client `app`. The tokens are in
 * `meta` after a sign-in and in `data` after a refresh. The refresh token is kept in memory, so a reload ends the session unless another tab is
 * open.
 */
export const allauthHeadless = {
  refresh: { url: '/_allauth/app/v1/tokens/refresh' },
  // It answers 401, because the session has ended.
  logout: { url: '/_allauth/app/v1/auth/session', method: 'DELETE', send: 'access' },
  refreshToken: { json: 'refresh_token' },
  response: {
    accessToken: ['meta.access_token', 'data.access_token'],
    refreshToken: ['meta.refresh_token', 'data.refresh_token'],
  },
} as const satisfies TokenManagerOptions
