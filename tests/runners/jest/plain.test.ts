/** @jest-environment jsdom */
// Jest's own jsdom, which has no fetch: everything works except `Response`.
import { expect, test } from '@jest/globals'
import { createTestTokenManager } from 'tokenkeep/testing'
import { listTodos } from '../app/todos'

test('an answer may be any object that the app accepts as a Response', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', { ok: true, json: async () => ['Feed the cat'] } as Response)
  expect(await listTodos(auth)).toEqual(['Feed the cat'])
  expect(auth.test.calls).toMatchObject([
    { name: 'fetch', method: 'GET', url: 'http://localhost/api/todos', authorization: 'Bearer test-token-1' },
  ])
})

test('events belong to the page', async () => {
  const auth = createTestTokenManager({ session: {} })
  const heard: Event[] = []
  auth.addEventListener('signout', (event) => heard.push(event))
  auth.test.signOut('ended')
  expect(heard).toMatchObject([{ type: 'signout', reason: 'ended' }])
  expect(heard[0]).toBeInstanceOf(Event)
})
