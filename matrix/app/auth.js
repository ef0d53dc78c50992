// The one manager, as the README has it.

import { createTokenManager } from 'tokenkeep'

export const auth = createTokenManager({ refresh: '/auth/refresh' })
