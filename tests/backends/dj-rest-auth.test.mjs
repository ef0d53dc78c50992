// dj-rest-auth, with the refresh token in an HttpOnly cookie.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('django_site.py', 'dj-rest-auth', {
    me: '/dj/me',
    admin: '/dj/admin',
    login: '/dj-rest-auth/login/',
    refresh: '/dj-rest-auth/token/refresh/',
    logout: '/dj-rest-auth/logout/',
  }),
)
