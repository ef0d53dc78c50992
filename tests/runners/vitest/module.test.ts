// Tests the app's own module, which creates its manager at import.
import { controls } from 'tokenkeep/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { auth } from '../app/auth'

vi.mock('tokenkeep', () => import('tokenkeep/testing'))

afterEach(() => controls(auth).reset())

test('the test controls the manager of the app', async () => {
  controls(auth).signIn({ claims: { sub: '7', name: 'Alice' } })
  expect(auth.state.claims?.sub).toBe('7')
  await auth.logout()
  expect(controls(auth).calls.map(({ name }) => name)).toEqual(['logout'])
})

test('the next test starts with a fresh state', () => {
  expect(auth.state.status).toBe('unknown')
  expect(controls(auth).calls).toEqual([])
})
