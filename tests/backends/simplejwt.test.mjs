// Django REST framework with simplejwt's own views: rotation and blacklist on.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('django_site.py', 'simplejwt', {
    me: '/api/me',
    admin: '/api/admin',
    login: '/api/token/',
    refresh: '/api/token/refresh/',
    logout: '/api/token/blacklist/',
  }),
)
