// @ts-check
// Watches the real traffic of the page, or of a worker, so that the picture shows what was sent and not what should have been.
// Only where a request goes, when, and the status of its answer are noted: no header, no body, no token.

/**
 * One request, as `fetch` was asked for it. It is filled in when the answer comes.
 * @typedef {{ path: string, start: number, end: number | undefined, status: number | undefined }} Request
 * `status` stays `undefined` where there was no answer.
 */

/**
 * Reports every request made from now on, as it leaves and as its answer comes. Callers get what they
 * would have got without it.
 * @param {(request: Request) => void} report
 */
export function observe(report) {
  const platform = globalThis.fetch;
  globalThis.fetch = function fetch(...args) {
    /** @type {Request} */
    const request = { path: pathOf(args[0]), start: performance.now(), end: undefined, status: undefined };
    const answer = platform.apply(globalThis, args);
    const done = (/** @type {Response | undefined} */ response) => {
      request.end = performance.now();
      request.status = response?.status;
      report(request);
    };
    report(request);
    answer.then(done, () => done(undefined));
    return answer;
  };
}

/** @param {RequestInfo | URL} input */
function pathOf(input) {
  return new URL(input instanceof Request ? input.url : input, globalThis.document?.baseURI ?? location.href).pathname;
}
