import { createTokenManager } from 'tokenkeep/file'

export const auth = createTokenManager({ refresh: '/auth/refresh' }, '/node_modules/tokenkeep/dist/core.wasm')
