import { act, fireEvent, render, screen } from '@testing-library/react'
import { createTestTokenManager } from 'tokenkeep/testing'
import { expect, test } from 'vitest'
import { Account, type User } from '../app/Account'

const alice = { claims: { sub: '7', name: 'Alice' } }

test('a signed-in user sees their list', async () => {
  const auth = createTestTokenManager<User>({ session: alice })
  auth.test.respond('/api/todos', Response.json(['Feed the cat']))
  render(<Account auth={auth} />)
  expect(screen.getByText('Hello Alice')).toBeTruthy()
  expect(await screen.findByText('Feed the cat')).toBeTruthy()
  expect(auth.test.calls).toContainEqual(
    expect.objectContaining({ name: 'fetch', authorization: 'Bearer test-token-1' }),
  )
})

test('nothing is shown until the status is known', async () => {
  const auth = createTestTokenManager<User>()
  auth.test.respond('/api/todos', Response.json([]))
  render(<Account auth={auth} />)
  expect(screen.getByRole('status').textContent).toBe('One moment…')
  await act(() => auth.test.signIn(alice))
  expect(screen.getByText('Hello Alice')).toBeTruthy()
})

test('an outage is no sign-out, and can be retried', async () => {
  const auth = createTestTokenManager<User>()
  auth.test.fail('refresh', 'network')
  render(<Account auth={auth} />)
  expect((await screen.findByRole('alert')).textContent).toContain("can't be reached")
  auth.test.recover()
  fireEvent.click(screen.getByText('Try again'))
  await act(() => auth.test.signOut())
  expect(screen.getByText('Sign in')).toBeTruthy()
})

test('a wrong password is reported', async () => {
  const auth = createTestTokenManager<User>({ session: null })
  auth.test.fail('login', 'rejected')
  render(<Account auth={auth} />)
  fireEvent.click(screen.getByText('Sign in'))
  expect((await screen.findByRole('alert')).textContent).toBe('Wrong password.')
})

test('signing in sends the credentials, once', async () => {
  const auth = createTestTokenManager<User>({ session: null })
  auth.test.answer('login', { session: alice })
  auth.test.respond('/api/todos', Response.json([]))
  render(<Account auth={auth} />)
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: 'wonderland' } })
  fireEvent.click(screen.getByText('Sign in'))
  await screen.findByText('Hello Alice')
  const logins = auth.test.calls.filter(({ name }) => name === 'login')
  expect(logins.map(({ url, body }) => [new URL(url!).pathname, (body as FormData).get('password')])).toEqual([
    ['/auth/login', 'wonderland'],
  ])
})

test('the app says so when the server ends the session', async () => {
  const auth = createTestTokenManager<User>({ session: alice })
  auth.test.respond('/api/todos', Response.json([]))
  render(<Account auth={auth} />)
  await act(() => auth.test.signOut('rejected'))
  expect(screen.getByRole('alert').textContent).toBe('Your session is over.')
})

test('signing out takes effect at once, even if the server cannot be told', async () => {
  const auth = createTestTokenManager<User>({ session: alice })
  auth.test.respond('/api/todos', Response.json([]))
  auth.test.fail('logout', 'network')
  render(<Account auth={auth} />)
  fireEvent.click(await screen.findByText('Sign out'))
  expect(screen.getByText('Sign in')).toBeTruthy()
  expect(auth.test.calls.at(-1)?.name).toBe('logout')
})
