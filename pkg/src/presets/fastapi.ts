// FastAPI, as its tutorials write the sign-in by hand.

import type { TokenManagerOptions } from '../types.js';

/**
 * Options for a refresh endpoint that takes the refresh token in `Authorization` (`OAuth2PasswordBearer`). It is kept in memory: a
 * reload ends the session in a page that has no other tab.
 */
export const fastapi = {
  refresh: { url: '/refresh_token', credentials: 'same-origin' },
  refreshToken: { header: 'Authorization', scheme: 'Bearer' },
} as const satisfies TokenManagerOptions;

/** Options for the refresh token in an HttpOnly cookie. */
export const fastapiCookie = {
  refresh: { url: '/auth/refresh' },
  logout: { url: '/auth/logout' },
} as const satisfies TokenManagerOptions;
