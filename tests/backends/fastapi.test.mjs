// FastAPI: the two services of the tutorials, on origins of their own, and the form with a cookie.

import { backEnd, rows } from './support/rows.mjs'

rows(await backEnd('fastapi_header.py', 'fastapi', { me: '/users/me', admin: '/admin/data', login: '/token', refresh: '/refresh_token' }, {
  api: ([, api]) => api,
  origins: ([auth, api]) => ({ 'https://auth.example.com': auth, 'https://api.example.com': api }),
}))

rows(await backEnd('fastapi_cookie.py', 'fastapi-cookie', {
  me: '/users/me',
  admin: '/admin/data',
  login: '/token',
  refresh: '/auth/refresh',
  logout: '/auth/logout',
}))
