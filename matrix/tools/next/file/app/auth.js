import { createTokenManager } from 'tokenkeep/file'

export const auth = createTokenManager({ refresh: '/auth/refresh' }, new URL('tokenkeep/core.wasm', import.meta.url))
