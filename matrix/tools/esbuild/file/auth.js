import { createTokenManager } from 'tokenkeep/file'
import wasm from 'tokenkeep/core.wasm'

export const auth = createTokenManager({ refresh: '/auth/refresh' }, wasm)
