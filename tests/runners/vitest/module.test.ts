// The app's own module, which makes its manager at import, tested as it is.
import { controls } from 'tokenkeep/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { auth } from '../app/auth'

vi.mock('tokenkeep', () => import('tokenkeep/testing'))

afterEach(() => controls(auth).reset())

test('the manager of the app is in the hands of the test', async () => {
  controls(auth).signIn({ claims: { sub: '7', name: 'Alice' } })
  expect(auth.state.claims?.sub).toBe('7')
  await auth.logout()
  expect(controls(auth).calls.map(({ name }) => name)).toEqual(['logout'])
})

test('the next test begins anew', () => {
  expect(auth.state.status).toBe('unknown')
  expect(controls(auth).calls).toEqual([])
})
