/**
 * @jest-environment node
 */
// This code needs no page, so the test runs in plain Node.
import { createTestTokenManager } from 'tokenkeep/testing'
import { expect, test } from '@jest/globals'
import { listTodos } from '../app/todos'

test('the list is requested with the token', async () => {
  const auth = createTestTokenManager({ session: { accessToken: 'abc' } })
  auth.test.respond('GET /api/todos', (call) => Response.json([call.authorization]))
  expect(await listTodos(auth)).toEqual(['Bearer abc'])
})

test('an expired token is renewed first', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', (call) => Response.json([call.authorization]))
  auth.test.expire()
  expect(await listTodos(auth)).toEqual(['Bearer test-token-2'])
})

test('during an outage the error is retryable', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.expire()
  auth.test.fail('refresh', 'network')
  await expect(listTodos(auth)).rejects.toMatchObject({ code: 'network', retryable: true })
  expect(auth.state.status).toBe('signed-in')
})

test('the API itself fails', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', new Response('', { status: 500 }))
  await expect(listTodos(auth)).rejects.toThrow('500')
})
