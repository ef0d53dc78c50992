// The app's only manager.
import { createTokenManager } from 'tokenkeep'
import type { User } from './Account'

export const auth = createTokenManager<User>({ refresh: '/auth/refresh', logout: '/auth/logout' })
