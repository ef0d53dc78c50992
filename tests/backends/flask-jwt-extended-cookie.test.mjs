// Flask-JWT-Extended: the refresh token in a cookie, with a double-submit value that changes with every refresh.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('flask_app.py', 'flask-jwt-extended-cookie', {
    me: '/protected',
    admin: '/admin',
    login: '/auth/login',
    refresh: '/auth/refresh',
    logout: '/auth/logout',
  }),
)
