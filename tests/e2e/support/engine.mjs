// The browser engine in which the tests run.

/** `chrome`, `firefox` or `webkit`. */
export const engine = process.env.BROWSER ?? 'chrome'

/** Where the token lives: `worker`, `shared-worker`, `service-worker`, or in the page. */
export const home = process.env.HOME_OF_TOKENS
