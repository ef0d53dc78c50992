// The engine that the tests run in.

/** `chrome`, `firefox` or `webkit`. */
export const engine = process.env.BROWSER ?? 'chrome'
