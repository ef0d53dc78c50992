/** @jest-environment jsdom */
// Jest's own jsdom, which has no fetch: all but `Response` is there.
import { expect, test } from '@jest/globals'
import { createTestTokenManager } from 'tokenkeep/testing'
import { listTodos } from '../app/todos'

test('what answers may be anything that the app takes for a Response', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', { ok: true, json: async () => ['Feed the cat'] } as Response)
  expect(await listTodos(auth)).toEqual(['Feed the cat'])
  expect(auth.test.calls).toMatchObject([{ name: 'fetch', method: 'GET', url: 'http://localhost/api/todos', authorization: 'Bearer test-token-1' }])
})

test('events are those of the page', async () => {
  const auth = createTestTokenManager({ session: {} })
  const heard: Event[] = []
  auth.addEventListener('signout', (event) => heard.push(event))
  auth.test.signOut('ended')
  expect(heard).toMatchObject([{ type: 'signout', reason: 'ended' }])
  expect(heard[0]).toBeInstanceOf(Event)
})
