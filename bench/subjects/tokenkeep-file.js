import { createTokenManager } from 'tokenkeep/file'
import { setUpWith } from './tokenkeep-calls.js'

export default () => setUpWith(createTokenManager({ refresh: '/auth/refresh' }, '/core.wasm'))
