// Django REST framework with simplejwt's own views.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for [simplejwt](https://django-rest-framework-simplejwt.readthedocs.io) with the URLs of its documentation. The refresh token is
 * sent in JSON and kept in memory, so a reload ends the session unless another tab is open.
 */
export const simplejwt = {
  refresh: { url: '/api/token/refresh/' },
  logout: { url: '/api/token/blacklist/', send: 'refresh' },
  refreshToken: { json: 'refresh' },
  response: { accessToken: 'access', refreshToken: 'refresh' },
  subject: 'user_id',
} as const satisfies TokenManagerOptions
