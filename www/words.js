// @ts-check
// All texts in which the page describes what happened.

import { authRequests, facts, isGood, tries } from './scene.js'

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {import('/tokenkeep/index.js').TokenError} TokenError */

/** @param {number} ms */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** @param {number} n @param {string} one @param {string} [many] */
function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`
}

/** The scene in one line. @param {Scene} scene */
export function caption(scene) {
  const { calls, refused, logins, refreshes, logouts, answered, denied, failed, took } = facts(scene)
  const parts = []
  if (logins.length) parts.push(count(logins.length, 'login') + unless(logins))
  if (logouts.length) parts.push(count(logouts.length, 'logout') + unless(logouts))
  if (calls) parts.push(count(calls, 'call'))
  if (refused) parts.push(`${refused} refused (401)`)
  parts.push(count(refreshes.length, 'refresh', 'refreshes') + unless(refreshes))
  if (answered) parts.push(`${answered} answered in ${duration(took)}`)
  if (denied.length) parts.push(`${denied.length} ended with ${denied[0]?.status}`)
  if (failed.length) parts.push(`${failed.length} failed in ${duration(took)}`)
  return parts.join(' · ')
}

/** What went wrong with the last request, in brackets. @param {{ end?: number, status?: number }[]} requests */
function unless(requests) {
  const last = requests.at(-1)
  if (!last || last.end === undefined || isGood(last.status)) return ''
  return last.status === undefined
    ? ' (no answer)'
    : last.status >= 500
      ? ` (down: ${last.status})`
      : ` (refused: ${last.status})`
}

/** The error or the unsuccessful response that the app got first. @param {Scene} scene */
export function outcome(scene) {
  const { denied, failed, refreshes } = facts(scene)
  const error = /** @type {TokenError | undefined} */ (failed[0]?.error)
  if (error?.retryable && !refreshes.length) {
    return 'After a failed refresh, tokenkeep spares the server for a while: all calls fail at once. Wait a little, or press “Refresh now”.'
  }
  if (error) return plain(error) + (error.retryable ? ' The session is still there.' : '')
  if (denied[0]?.status === 401) return 'The app got the 401: nobody is signed in.'
  if (denied[0]) return `The app got the answer ${denied[0].status}.`
  return ''
}

const ERRORS = /** @type {Record<string, string>} */ ({
  network: 'The auth server cannot be reached',
  timeout: 'The auth server did not answer in time',
  'bad-status': 'The auth server is out of order',
  'bad-answer': 'The auth server answered without a token',
  rejected: 'The auth server refused',
  'signed-out': 'Nobody is signed in',
  'session-changed': 'The session changed meanwhile; the call was not sent',
  crashed: 'The package failed; reload the page',
})

/** @param {unknown} error */
export function plain(error) {
  const { code, message, retryable, status } = /** @type {TokenError} */ (error)
  if (!code) return message
  const detail = status ? `${code}, ${status}` : code
  return `${ERRORS[code] ?? message} (${detail}).${retryable ? ' Another try may help.' : ''}`
}

/** @param {TokenError} error */
export function loginFailed(error) {
  return error.code === 'rejected' ? 'The name or the password is wrong.' : plain(error)
}

/** @param {TokenError} error */
export function logoutFailed(error) {
  return `${plain(error)} You are signed out here nevertheless. The server will be told when this page is loaded again.`
}

/**
 * How the page began.
 * @param {Scene} scene @param {import('/tokenkeep/index.js').TokenState} state @param {import('./homes.js').Home} home
 */
export function beginning(scene, { status }, home) {
  if (status === 'unknown')
    return 'Whether there is a session is not known yet. Press “Refresh now” when the server is up again.'
  if (status === 'signed-out') return ''
  return facts(scene).refreshes.length
    ? 'Still signed in: the cookie was good for a refresh. No token was stored.'
    : `This tab asked the server for nothing: ${home.name === 'page' ? 'another tab handed the token over' : 'the worker had the token already'}.`
}

const REASONS = {
  logout: 'you signed out here',
  rejected: 'the server refused the refresh',
  ended: 'the API said: log in again',
  'other-tab': 'you signed out in another tab',
}

/** @param {keyof typeof REASONS} reason */
export function signoutReason(reason) {
  return REASONS[reason]
}

const REJECTED =
  'Got nothing: the service worker rejects requests to the refresh endpoint from this page. A script that opens a page outside of its scope still gets a token of its own.'

/** The result of an attack. @param {import('./attacks/run.js').Result} result */
export function stolen({ attack, loot, seen, failed }) {
  if (failed) return `The attack itself failed, so it proves nothing: ${failed}`
  if (!loot && attack.isInherent) return REJECTED
  if (!loot)
    return seen ? `Got nothing. It saw ${count(seen, 'text')}, without a token.` : 'Got nothing. It saw no text at all.'
  if (!loot.isAccepted) return 'Got a token that the API no longer accepts.'
  return attack.isInherent
    ? 'Got a new token of its own. This is inherent: the browser has the cookie.'
    : 'Got the token. The API accepts it.'
}

/** @param {import('./attacks/run.js').Result[]} results @param {import('./homes.js').Home} home */
export function theftSummary(results, home) {
  const onToken = results.filter(({ attack }) => !attack.isInherent)
  const got = onToken.filter(({ loot }) => loot?.isAccepted).length
  const failed = results.filter(({ failed }) => failed).length
  const verdict = got
    ? `${got} of ${onToken.length} attacks got the token. Any script in the page can.`
    : `None of ${onToken.length} attacks got the token.`
  const cookie = results.some(({ attack, loot }) => attack.isInherent && loot)
    ? ' With the cookie, the script got a token of its own: in every home it can use the session.'
    : ''
  return `${home.title}: ${verdict}${cookie}${failed ? ` ${count(failed, 'attack')} failed and proved nothing.` : ''}`
}

/** @param {string} name @param {unknown} value */
export function claim(name, value) {
  if (['iat', 'exp', 'nbf'].includes(name)) return `${value} (${new Date(Number(value) * 1000).toLocaleTimeString()})`
  return Array.isArray(value) ? value.join(', ') : String(value)
}

/** What the server's own log says. @param {import('./server.js').Entry[]} entries */
export function serverSaw(entries) {
  const api = entries.filter(({ path }) => path.startsWith('/api/'))
  const refused = api.filter(({ status }) => status === 401).length
  const answered = api.filter(({ status }) => isGood(status)).length
  const parts = []
  if (refused) parts.push(`${count(refused, 'call')} refused`)
  parts.push(count(entries.filter(({ path }) => path === '/auth/refresh').length, 'refresh', 'refreshes'))
  if (answered) parts.push(`${count(answered, 'call')} answered`)
  return `The server's own log says: ${parts.join(', ')}.`
}

/** One row for each call to the auth server and each call of the app. @param {Scene} scene */
export function rows(scene) {
  const auth = authRequests(scene).map(({ kind, start, end, status }) => [
    kind,
    answer({ start, end, status }),
    '',
    '',
    '',
  ])
  const calls = scene.calls.map((call) => {
    const [first, second] = tries(scene, call)
    const waited = (second?.start ?? call.end ?? 0) - (first?.end ?? call.start)
    const got = call.error
      ? 'code' in call.error
        ? String(call.error.code)
        : call.error.name
      : String(call.status ?? '')
    return [`call ${call.path}`, answer(first), waited >= 1 ? duration(waited) : '', answer(second), got]
  })
  return [...auth, ...calls]
}

/** @param {{ start: number, end?: number, status?: number } | undefined} request */
function answer(request) {
  if (!request) return ''
  if (request.end === undefined) return 'under way'
  return `${request.status ?? 'none'} after ${duration(request.end - request.start)}`
}
