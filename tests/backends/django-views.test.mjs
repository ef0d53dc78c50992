// Django REST framework with hand-written cookie views on simplejwt.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { backEnd, rows } from './support/rows.mjs'

rows(
  await backEnd('django_site.py', 'django-views', {
    me: '/views/me',
    admin: '/views/admin',
    login: '/auth/login/',
    refresh: '/auth/refresh/',
    logout: '/auth/logout/',
  }),
)

test("django-views: the page's views are the ones that run", () => {
  const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [, views] = /^```python\n# views\.py\n([\s\S]*?)^```/m.exec(read('../../docs/backends/django-views.md'))
  assert.ok(read('servers/django_site.py').includes(views))
})
