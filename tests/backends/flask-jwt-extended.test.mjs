// Flask-JWT-Extended: tokens in the answer, the refresh token in `Authorization`.

import { backEnd, rows } from './support/rows.mjs'

rows(await backEnd('flask_app.py', 'flask-jwt-extended', {
  me: '/protected',
  admin: '/admin',
  login: '/login',
  refresh: '/refresh',
  logout: '/logout',
}))
