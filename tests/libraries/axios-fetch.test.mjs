// axios, with its fetch adapter.

import assert from 'node:assert/strict'
import { OUTAGE, recipe } from './support/recipe.mjs'

const { it, server } = await recipe('axios', {
  outage: { name: 'TokenError', code: 'bad-status', status: 503, cause: OUTAGE },
  unauthorized: { name: 'AxiosError', code: 'ERR_BAD_REQUEST', status: 401 },
  asks: 4,
  aborted: { name: 'CanceledError', code: 'ERR_CANCELED' },
  post: () => api.post('items/1', { of: 'a name' }),
})

it('with upload progress the body is a stream, which browsers send only over HTTP/2', async (tab) => {
  const { error } = await tab.evaluate(() => seen(api.post('items/1', { of: 'a name' }, { onUploadProgress() {} })))
  assert.deepEqual(error, { name: 'AxiosError', code: 'ERR_NETWORK', cause: { name: 'TypeError' } })
  assert.equal(server.at('/api/items/1').length, 0)
})

it("without `adapter: 'fetch'` the call bypasses the manager", async (tab) => {
  const { error } = await tab.evaluate(() => seen(api.get('items/1', { adapter: 'xhr' })))
  assert.equal(error.status, 401)
  assert.equal(server.at('/api/items/1')[0].headers.authorization, undefined)
  assert.equal(server.at('/auth/refresh').length, 0)
})
