// Flask-JWT-Extended: tokens in the answer, the refresh token in a cookie, or both tokens in cookies.

import type { TokenManagerOptions } from '../types.js';

/** 422 is its word for a token that does not bear its signature: the server's key is another one now. All that it says is JSON. */
const rejected = { status: [400, 401, 403, 422], body: { path: '*' } } as const;

/**
 * Options for [Flask-JWT-Extended](https://flask-jwt-extended.readthedocs.io) with `JWT_TOKEN_LOCATION = ["headers"]`. The refresh token
 * travels in `Authorization`, so it is kept in memory: a reload ends the session in a page that has no other tab.
 */
export const flaskJwtExtended = {
  refresh: { url: '/refresh' },
  logout: { url: '/logout', method: 'DELETE', send: 'refresh' },
  refreshToken: { header: 'Authorization', scheme: 'Bearer' },
  rejected,
} as const satisfies TokenManagerOptions;

/** Options for the refresh token in an HttpOnly cookie, with the double submit against forged requests (`JWT_COOKIE_CSRF_PROTECT`, on by default). */
export const flaskJwtExtendedCookie = {
  refresh: { url: '/auth/refresh' },
  logout: { url: '/auth/logout', method: 'DELETE' },
  csrf: { cookie: 'csrf_refresh_token', header: 'X-CSRF-TOKEN' },
  rejected,
} as const satisfies TokenManagerOptions;

/**
 * Options for both tokens in HttpOnly cookies (`JWT_TOKEN_LOCATION = ["cookies"]`), each with its double submit: no script sees a token,
 * and the page knows of the session only that there is one.
 */
export const flaskJwtExtendedCookies = {
  ...flaskJwtExtendedCookie,
  attach: { cookie: true, csrf: { cookie: 'csrf_access_token', header: 'X-CSRF-TOKEN' } },
} as const satisfies TokenManagerOptions;
