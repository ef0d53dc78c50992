// The state before the server has been asked. Servers also render it, and pages show it until hydration is done.

import type { TokenState } from './types.js'

export const UNKNOWN: TokenState<any> = /*#__PURE__*/ Object.freeze({
  status: 'unknown',
  claims: null,
  expiresAt: null,
  sessionExpiresAt: null,
})
