// The package itself, in jsdom and happy-dom: MSW answers in place of the network.
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { createTokenManager } from 'tokenkeep'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { listTodos } from '../app/todos'
import { backend, handlers } from './server'

const server = setupServer(...handlers)
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

// Each test has its own manager, because a manager's state must not reach the next test.
let auth: ReturnType<typeof createTokenManager>
beforeEach(() => {
  backend.reset()
  // A test has a single tab, and these environments have no Web Locks.
  auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', tabs: 'off' })
  return () => auth.dispose()
})

const signIn = (password = 'wonderland') => auth.login('/auth/login', { body: new URLSearchParams({ password }) })

test('three calls with an expired token cost one refresh', async () => {
  await signIn()
  backend.expire()
  const lists = await Promise.all([listTodos(auth), listTodos(auth), listTodos(auth)])
  expect(lists).toEqual([['Feed the cat'], ['Feed the cat'], ['Feed the cat']])
  expect(backend.refreshes).toBe(1)
})

test('a wrong password is refused', async () => {
  await expect(signIn('rabbit')).rejects.toMatchObject({ code: 'rejected', status: 401 })
  expect((await auth.known()).status).toBe('signed-out')
})

test('an outage does not sign the user out', async () => {
  await signIn()
  backend.expire()
  server.use(http.post('/auth/refresh', () => new HttpResponse(null, { status: 503 })))
  await expect(listTodos(auth)).rejects.toMatchObject({ code: 'bad-status', retryable: true })
  expect(auth.state.status).toBe('signed-in')
})

test('signing out tells the server', async () => {
  await signIn()
  await auth.logout()
  await expect(listTodos(auth)).rejects.toThrow('401')
  expect((await auth.known()).status).toBe('signed-out')
})
