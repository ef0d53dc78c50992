// What users write with tokenkeep/testing, and what they must not be able to write. Compiled, never run.

import type { TokenManager, TokenState } from 'tokenkeep'
import { controls, createTestTokenManager, createTokenManager, type TestTokenManager } from 'tokenkeep/testing'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Same<A, B>): void {}

interface User {
  sub: string
  name: string
}

// It is accepted wherever a manager is.
const auth = createTestTokenManager<User>({ session: { claims: { sub: '7', name: 'Alice' } } })
const manager: TokenManager<User> = auth
same<typeof auth, TestTokenManager<User>>(true)
same<Omit<typeof auth, 'test'>, Omit<TokenManager<User>, never>>(true)
same<typeof auth.state, TokenState<User>>(true)
const plain: TokenManager = createTestTokenManager()

auth.test.signIn({ claims: { sub: '7', name: 'Alice' }, accessToken: 'abc', expiresAt: 5, sessionExpiresAt: null })
auth.test.signOut('other-tab')
auth.test.fail('refresh', 'network')
auth.test.fail('login', new Error('mine'))
auth.test.answer('login', { json: { user: 1 }, session: {} })
auth.test.respond('/api', new Response())
auth.test.respond(/api/, async (call) => new Response(call.authorization))
const release: () => void = auth.test.hold('login')
controls(manager).signIn({ claims: { sub: '7', name: 'Alice' } })
controls(createTokenManager<User>({ refresh: '/auth/refresh' })).reset()

// @ts-expect-error: no such claim
auth.test.signIn({ claims: { sub: '7', nome: 'Alice' } })
// @ts-expect-error: no such reason
auth.test.signOut('bored')
// @ts-expect-error: no such code
auth.test.fail('refresh', 'tired')
// @ts-expect-error: it cannot fail
auth.test.fail('subscribe', 'network')
// @ts-expect-error: the list is read
auth.test.calls.push({ name: 'fetch', args: [] })
// @ts-expect-error: as in the package
createTokenManager({})
void [plain, release]
