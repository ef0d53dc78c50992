// Django OAuth Toolkit: a back end that needs no preset, and no code.

import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('django_site.py', 'django-oauth-toolkit', {
    me: '/oauth/me',
    admin: '/oauth/admin',
    login: '/o/token/ password',
    refresh: '/o/token/ refresh_token',
    logout: '/o/revoke_token/',
  }),
)
