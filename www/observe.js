// @ts-check
// Watches the real traffic of the page or of a worker, so that the picture shows what was really sent.
// Records only path, time and status of each request: no header, no body, no token.

/**
 * A request as it was passed to `fetch`. It is completed when the response arrives.
 * @typedef {{ path: string, start: number, end: number | undefined, status: number | undefined }} Request
 * `status` stays `undefined` if there was no response.
 */

/**
 * Reports every request from now on, when it is sent and when its response arrives. Callers notice no
 * difference.
 * @param {(request: Request) => void} report
 */
export function observe(report) {
  const platform = globalThis.fetch
  globalThis.fetch = function fetch(...args) {
    /** @type {Request} */
    const request = { path: pathOf(args[0]), start: performance.now(), end: undefined, status: undefined }
    const answer = platform.apply(globalThis, args)
    const done = (/** @type {Response | undefined} */ response) => {
      request.end = performance.now()
      request.status = response?.status
      report(request)
    }
    report(request)
    answer.then(done, () => done(undefined))
    return answer
  }
}

/** @param {RequestInfo | URL} input */
function pathOf(input) {
  return new URL(input instanceof Request ? input.url : input, globalThis.document?.baseURI ?? location.href).pathname
}
