// Where the token lives in the test pages: in the page, or in the worker that the tests were told to use.

import * as inPage from '/tokenkeep/index.js'
import * as isolated from '/tokenkeep/isolation/page.js'

export const { isTokenError, TokenError } = inPage

/** As the package's, with the home that `homeOfTokens` names, unless the options name one. */
export function createTokenManager(options, home = globalThis.homeOfTokens) {
  const isolation = options?.isolation ?? home
  return isolation ? isolated.createTokenManager({ ...options, isolation }) : inPage.createTokenManager(options)
}
