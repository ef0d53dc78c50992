// @ts-check
// What happened since the user's last action: the calls of the app, and the requests they became.

/** @typedef {import('./observe.js').Request} Request */

/**
 * A call of the app. `status` is that of its response, `error` is the error that it failed with.
 * @typedef {{ path: string, start: number, end: number | undefined, status?: number, error?: Error }} Call
 * @typedef {{ calls: Call[], requests: Request[] }} Scene
 */

/** A request to the auth server. @typedef {Request & { kind: string }} AuthRequest */

const AUTH = /^\/auth\/(login|refresh|logout)$/

/** The requests to the auth server, in order. @param {Scene} scene @returns {AuthRequest[]} */
export function authRequests(scene) {
  return scene.requests.flatMap((request) => {
    const kind = AUTH.exec(request.path)?.[1]
    return kind ? [{ ...request, kind }] : []
  })
}

/** The requests of a call, in order. Each call has its own path. @param {Scene} scene @param {Call} call */
export function tries(scene, call) {
  return scene.requests.filter((request) => request.path === call.path)
}

/** The numbers that matter. @param {Scene} scene */
export function facts(scene) {
  const { calls } = scene
  const auth = authRequests(scene)
  const sent = calls.flatMap((call) => tries(scene, call))
  const all = extent([...calls, ...auth])
  return {
    calls: calls.length,
    refused: sent.filter(({ status }) => status === 401).length,
    logins: auth.filter(({ kind }) => kind === 'login'),
    refreshes: auth.filter(({ kind }) => kind === 'refresh'),
    logouts: auth.filter(({ kind }) => kind === 'logout'),
    answered: calls.filter(({ status }) => isGood(status)).length,
    denied: calls.filter(({ status }) => status !== undefined && !isGood(status)),
    failed: calls.filter(({ error }) => error),
    took: extent(calls).span,
    start: all.start,
    span: Math.max(all.span, 1),
  }
}

/** From the first beginning to the last end. @param {{ start: number, end: number | undefined }[]} times */
function extent(times) {
  if (!times.length) return { start: 0, span: 0 }
  const start = Math.min(...times.map((time) => time.start))
  return { start, span: Math.max(...times.map(({ end }) => end ?? performance.now())) - start }
}

/** @param {number | null | undefined} status */
export function isGood(status) {
  return !!status && status >= 200 && status < 300
}
