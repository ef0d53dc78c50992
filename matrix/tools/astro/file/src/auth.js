import { createTokenManager } from 'tokenkeep/file'
import wasm from 'tokenkeep/core.wasm?url'

export const auth = createTokenManager({ refresh: '/auth/refresh' }, wasm)
