// Django's three ways of giving a page tokens.

import { backEnd, rows } from './support/rows.mjs'

rows(await backEnd('django_site.py', 'simplejwt', {
  me: '/api/me',
  admin: '/api/admin',
  login: '/api/token/',
  refresh: '/api/token/refresh/',
}))

rows(await backEnd('django_site.py', 'dj-rest-auth', {
  me: '/dj/me',
  admin: '/dj/admin',
  login: '/dj-rest-auth/login/',
  refresh: '/dj-rest-auth/token/refresh/',
  logout: '/dj-rest-auth/logout/',
}))
