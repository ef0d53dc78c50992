// @ts-check
// Everything the page says about what happened, in plain words.

import { authRequests, facts, isGood, tries } from './scene.js';

/** @typedef {import('./scene.js').Scene} Scene */

/** @param {number} ms */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** @param {number} n @param {string} one @param {string} [many] */
function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** The scene in one line. @param {Scene} scene */
export function caption(scene) {
  const { calls, refused, logins, refreshes, logouts, answered, denied, failed, took } = facts(scene);
  const parts = [];
  if (logins.length) parts.push(count(logins.length, 'login') + unless(logins));
  if (logouts.length) parts.push(count(logouts.length, 'logout') + unless(logouts));
  if (calls) parts.push(count(calls, 'call'));
  if (refused) parts.push(`${refused} refused (401)`);
  parts.push(count(refreshes.length, 'refresh', 'refreshes') + unless(refreshes));
  if (answered) parts.push(`${answered} answered in ${duration(took)}`);
  if (denied.length) parts.push(`${denied.length} ended with ${denied[0]?.status}`);
  if (failed.length) parts.push(`${failed.length} failed in ${duration(took)}`);
  return parts.join(' · ');
}

/** What went wrong with the last of these, in brackets. @param {{ end?: number, status?: number }[]} requests */
function unless(requests) {
  const last = requests.at(-1);
  if (!last || last.end === undefined || isGood(last.status)) return '';
  return last.status === undefined ? ' (no answer)' : last.status >= 500 ? ` (down: ${last.status})` : ` (refused: ${last.status})`;
}

/** What the app was left with, where that was not an answer. @param {Scene} scene */
export function outcome(scene) {
  const { denied, failed } = facts(scene);
  const error = failed[0]?.error;
  if (error) return plain(error);
  if (denied[0]?.status === 401) return 'The app got the 401: nobody is signed in.';
  if (denied[0]) return `The app got the answer ${denied[0].status}.`;
  return '';
}

const ERRORS = /** @type {Record<string, string>} */ ({
  network: 'The auth server cannot be reached.',
  timeout: 'The auth server did not answer in time.',
  'bad-status': 'The auth server is out of order.',
  'bad-answer': 'The auth server answered without a token.',
  rejected: 'The auth server refused.',
  'signed-out': 'Nobody is signed in.',
  'session-changed': 'The session changed meanwhile; the call was not sent.',
  'not-loaded': 'The package could not be loaded.',
  crashed: 'The package failed. Reload the page.',
});

/** @param {unknown} error */
export function plain(error) {
  if (!(error instanceof Error)) return 'Something failed.';
  const { code, retryable, status } = /** @type {Error & import('/tokenkeep/index.js').TokenError} */ (error);
  const what = ERRORS[code] ?? error.message;
  const detail = code ? ` (${[code, status].filter(Boolean).join(', ')})` : '';
  return what + detail + (retryable ? ' Try again: the session is not lost.' : '');
}

const REASONS = {
  logout: 'you signed out here',
  rejected: 'the server refused the refresh',
  ended: 'the API said: log in again',
  'other-tab': 'you signed out in another tab',
};

/** @param {keyof typeof REASONS} reason */
export function signoutReason(reason) {
  return REASONS[reason];
}

/** @param {string} name @param {unknown} value */
export function claim(name, value) {
  if (['iat', 'exp', 'nbf'].includes(name)) return `${value} (${new Date(Number(value) * 1000).toLocaleTimeString()})`;
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** What the server's own log says. @param {{ path: string, status: number | null }[]} entries */
export function serverSaw(entries) {
  const api = entries.filter(({ path }) => path.startsWith('/api/'));
  const refreshes = entries.filter(({ path }) => path === '/auth/refresh').length;
  const refused = api.filter(({ status }) => status === 401).length;
  const answered = api.filter(({ status }) => isGood(status ?? undefined)).length;
  return `The server's own log: ${count(refused, 'call')} refused, ${count(refreshes, 'refresh', 'refreshes')}, ${count(answered, 'call')} answered.`;
}

/** One row for each call to the auth server and each call of the app. @param {Scene} scene */
export function rows(scene) {
  const auth = authRequests(scene).map(({ kind, start, end, status }) => [kind, answer({ start, end, status }), '', '', '']);
  const calls = scene.calls.map((call) => {
    const [first, second] = tries(scene, call);
    const waited = (second?.start ?? call.end ?? 0) - (first?.end ?? call.start);
    const got = call.error ? ('code' in call.error ? String(call.error.code) : call.error.name) : String(call.status ?? '');
    return [`call ${call.path}`, answer(first), waited >= 1 ? duration(waited) : '', answer(second), got];
  });
  return [...auth, ...calls];
}

/** @param {{ start: number, end?: number, status?: number } | undefined} request */
function answer(request) {
  if (!request) return '';
  if (request.end === undefined) return 'under way';
  return `${request.status ?? 'none'} after ${duration(request.end - request.start)}`;
}
