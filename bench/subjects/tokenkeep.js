import { createTokenManager } from 'tokenkeep'
import { setUpWith } from './tokenkeep-calls.js'

export default () => setUpWith(createTokenManager({ refresh: '/auth/refresh' }))
