// Where the token lives in the test pages: in the page, or in the worker that the tests are configured to use.

import * as inPage from '/tokenkeep/index.js'
import * as isolated from '/tokenkeep/isolation/page.js'

export const { isTokenError, TokenError } = inPage

/** The package's function, with the home in `homeOfTokens`, unless the options name one. */
export function createTokenManager(options, home = globalThis.homeOfTokens) {
  const isolation = options?.isolation ?? home
  return isolation ? isolated.createTokenManager({ ...options, isolation }) : inPage.createTokenManager(options)
}
