// allauth's headless API for apps, with its JWT strategy: a logout that answers 401, tokens in different places.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('django_site.py', 'allauth-headless', {
    me: '/headless/me',
    admin: '/headless/admin',
    login: '/_allauth/app/v1/auth/login',
    refresh: '/_allauth/app/v1/tokens/refresh',
    logout: '/_allauth/app/v1/auth/session',
  }),
)
