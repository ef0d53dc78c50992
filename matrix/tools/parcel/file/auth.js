import { createTokenManager } from 'tokenkeep/file'

export const auth = createTokenManager(
  { refresh: '/auth/refresh' },
  new URL('npm:tokenkeep/dist/core.wasm', import.meta.url),
)
