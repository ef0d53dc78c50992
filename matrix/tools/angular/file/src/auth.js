import { createTokenManager } from 'tokenkeep/file'
import wasm from 'tokenkeep/core.wasm' with { loader: 'file' }

export const auth = createTokenManager({ refresh: '/auth/refresh' }, wasm)
