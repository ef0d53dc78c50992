// FastAPI with the refresh token in a cookie that is good for one use.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('fastapi_cookie.py', 'fastapi-cookie', {
    me: '/users/me',
    admin: '/admin/data',
    login: '/token',
    refresh: '/auth/refresh',
    logout: '/auth/logout',
  }),
)
