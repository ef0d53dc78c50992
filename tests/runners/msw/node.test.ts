// Without a page there is no user: a manager in a server's module would be shared by all users.
import { createTokenManager } from 'tokenkeep'
import { expect, test } from 'vitest'

test('in plain Node the package sends nothing', async () => {
  const auth = createTokenManager({ refresh: 'http://localhost/auth/refresh', apis: ['http://localhost'] })
  await expect(auth.fetch('http://localhost/api/todos')).rejects.toMatchObject({ code: 'server' })
})
