// Flask-JWT-Extended: tokens in the answer; and the refresh token in a cookie, with the double submit.

import { backEnd, rows } from './support/rows.mjs'

const api = { me: '/protected', admin: '/admin' }

rows(await backEnd('flask_app.py', 'flask-jwt-extended', { ...api, login: '/login', refresh: '/refresh' }))

rows(await backEnd('flask_app.py', 'flask-jwt-extended-cookie', { ...api, login: '/auth/login', refresh: '/auth/refresh', logout: '/auth/logout' }))
