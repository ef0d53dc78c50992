// dj-rest-auth with JWT in HttpOnly cookies.

import type { TokenManagerOptions } from '../types.js'

/** Options for [dj-rest-auth](https://dj-rest-auth.readthedocs.io) with `JWT_AUTH_HTTPONLY` and a `JWT_AUTH_REFRESH_COOKIE`. */
export const djRestAuth = {
  refresh: { url: '/dj-rest-auth/token/refresh/', body: {} },
  logout: { url: '/dj-rest-auth/logout/' },
  response: { accessToken: 'access' },
  subject: 'user_id',
} as const satisfies TokenManagerOptions
