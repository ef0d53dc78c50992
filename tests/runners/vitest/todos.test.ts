// No page is needed for what has none: this one runs in plain Node.
import { createTestTokenManager } from 'tokenkeep/testing'
import { expect, test } from 'vitest'
import { listTodos } from '../app/todos'

test('the list is asked for with the token', async () => {
  const auth = createTestTokenManager({ session: { accessToken: 'abc' } })
  auth.test.respond('GET /api/todos', (call) => Response.json([call.authorization]))
  expect(await listTodos(auth)).toEqual(['Bearer abc'])
})

test('a token that has run out is renewed first', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', (call) => Response.json([call.authorization]))
  auth.test.expire()
  expect(await listTodos(auth)).toEqual(['Bearer test-token-2'])
})

test('in an outage the error says that it is worth another try', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.expire()
  auth.test.fail('refresh', 'network')
  await expect(listTodos(auth)).rejects.toMatchObject({ code: 'network', retryable: true })
  expect(auth.state.status).toBe('signed-in')
})

test('the API has trouble of its own', async () => {
  const auth = createTestTokenManager({ session: {} })
  auth.test.respond('/api/todos', new Response('', { status: 500 }))
  await expect(listTodos(auth)).rejects.toThrow('500')
})
