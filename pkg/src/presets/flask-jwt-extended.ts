// Flask-JWT-Extended: tokens in the answer, the refresh token in a cookie, or both tokens in cookies.

import type { TokenManagerOptions } from '../types.js'

/** It answers 422 to a token with a wrong signature, which means that the server's key has changed. All its answers are JSON. */
const rejected = { status: [400, 401, 403, 422], body: { path: '*' } } as const

/**
 * Options for [Flask-JWT-Extended](https://flask-jwt-extended.readthedocs.io) with `JWT_TOKEN_LOCATION = ["headers"]`. The refresh token
 * is sent in `Authorization` and kept in memory, so a reload ends the session unless another tab is open.
 */
export const flaskJwtExtended = {
  refresh: { url: '/refresh' },
  logout: { url: '/logout', method: 'DELETE', send: 'refresh' },
  refreshToken: { header: 'Authorization', scheme: 'Bearer' },
  rejected,
} as const satisfies TokenManagerOptions

/** Options for the refresh token in an HttpOnly cookie, with double-submit protection against CSRF (`JWT_COOKIE_CSRF_PROTECT`, on by default). */
export const flaskJwtExtendedCookie = {
  refresh: { url: '/auth/refresh' },
  logout: { url: '/auth/logout', method: 'DELETE' },
  csrf: { cookie: 'csrf_refresh_token', header: 'X-CSRF-TOKEN' },
  rejected,
} as const satisfies TokenManagerOptions

/**
 * Options for both tokens in HttpOnly cookies (`JWT_TOKEN_LOCATION = ["cookies"]`), each with double-submit protection. Scripts cannot
 * read the tokens, and the page only knows that a session exists.
 */
export const flaskJwtExtendedCookies = {
  ...flaskJwtExtendedCookie,
  attach: { cookie: true, csrf: { cookie: 'csrf_access_token', header: 'X-CSRF-TOKEN' } },
} as const satisfies TokenManagerOptions
