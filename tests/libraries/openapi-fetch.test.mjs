// openapi-fetch, which passes a `Request`.

import { recipe } from './support/recipe.mjs'

await recipe('openapi-fetch', {
  unauthorized: { name: 'Error', status: 401 },
  aborted: { name: 'AbortError', code: 20 },
  post: () => api.POST('/items/{id}', { params: { path: { id: 1 } }, body: { of: 'a name' } }),
})
