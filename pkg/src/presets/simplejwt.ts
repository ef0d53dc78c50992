// Django REST framework with simplejwt's own views.

import type { TokenManagerOptions } from '../types.js';

/**
 * Options for [simplejwt](https://django-rest-framework-simplejwt.readthedocs.io) at the addresses of its documentation. Its refresh token
 * travels in JSON, so it is kept in memory: a reload ends the session in a page that has no other tab.
 */
export const simplejwt = {
  refresh: { url: '/api/token/refresh/' },
  logout: { url: '/api/token/blacklist/', send: 'refresh' },
  refreshToken: { json: 'refresh' },
  response: { accessToken: 'access', refreshToken: 'refresh' },
  subject: 'user_id',
} as const satisfies TokenManagerOptions;
