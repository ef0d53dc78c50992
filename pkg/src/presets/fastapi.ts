// FastAPI, with a hand-written sign-in as in its tutorials.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for a refresh endpoint that takes the refresh token in `Authorization` (`OAuth2PasswordBearer`). The refresh token is
 * kept in memory, so a reload ends the session unless another tab is open.
 */
export const fastapi = {
  refresh: { url: '/refresh_token', credentials: 'same-origin' },
  refreshToken: { header: 'Authorization', scheme: 'Bearer' },
} as const satisfies TokenManagerOptions

/** Options for the refresh token in an HttpOnly cookie. */
export const fastapiCookie = {
  refresh: { url: '/auth/refresh' },
  logout: { url: '/auth/logout' },
} as const satisfies TokenManagerOptions
