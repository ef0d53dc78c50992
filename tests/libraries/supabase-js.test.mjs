// supabase-js, which sets its own `Authorization`.

import assert from 'node:assert/strict'
import { json } from '../e2e/support/stub.mjs'
import { recipe } from './support/recipe.mjs'

const { it, server, unreached, get } = await recipe('supabase-js', {
  driver: `
    import { createClient } from '@supabase/supabase-js'
    import { auth, supabase } from 'the client'
    import { createTokenManager } from 'tokenkeep'
    /** The token in Realtime. */
    export async function realtime() {
      const auth = createTokenManager({ refresh: '/auth/refresh', exposeToken: true })
      const live = createClient(location.origin, 'sb_publishable_key', { accessToken: () => auth.getAccessToken().catch(() => null) })
      await live.realtime.setAuth()
      return live.realtime.accessTokenValue
    }
    export const plain = createClient(location.origin, 'sb_publishable_key', { accessToken: async () => null, global: { fetch: auth.fetch } })
  `,
  origin: 'https://example.supabase.co',
  routes: (server) => ({
    // As in PostgREST.
    '/rest/v1/items': (arrived) => {
      const who = server().who(arrived)
      return who
        ? json({ id: Number(arrived.query.get('id').replace('eq.', '')), of: who.sub })
        : json({ code: 'PGRST303', message: 'JWT expired' }, { status: 401 })
    },
  }),
  unauthorized: { name: 'PostgrestError', code: 'PGRST303' },
  aborted: { name: 'AbortError', code: 20 },
  asks: 4,
  stubborn: true,
})

it("a plain `fetch: auth.fetch` leaves supabase's own key in place of the token", async (tab) => {
  const { error } = await tab.evaluate(() => plain.from('items').select().eq('id', 1).single())
  assert.equal(error.code, 'PGRST303')
  assert.equal(server.at('/rest/v1/items')[0].headers.authorization, 'Bearer sb_publishable_key')
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('without `throwOnError` an outage is a text', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', unreached)
  const { error } = await tab.evaluate(() => supabase.from('items').select().eq('id', 1).single().retry(false))
  const refresh = await tab.evaluate(() => `${location.origin}/auth/refresh`)
  assert.deepEqual(
    [error.message, error.code],
    [`TokenError: Unexpected HTTP status 503 from the refresh endpoint (${refresh}); the session was kept.`, ''],
  )
})

it('the key is sent, and the token with it', async (tab) => {
  await get(tab, 1)
  const [{ headers }] = server.at('/rest/v1/items')
  assert.equal(headers.apikey, 'sb_publishable_key')
})

it('with `accessToken`, Realtime gets the token of a manager that exposes it', async (tab) => {
  const token = await tab.evaluate(() => realtime())
  assert.equal(server.who({ headers: { authorization: `Bearer ${token}` } }).sub, 'alice')
})
