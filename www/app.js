// @ts-check
// The demo's app: what a page does with tokenkeep, and what each button lets happen.

import { createTokenManager } from '/tokenkeep/index.js';
import { $ } from './dom.js';
import { logEvents } from './events.js';
import * as server from './server.js';
import { showSession } from './session.js';
import { createStage } from './stage.js';
import { plain } from './words.js';

// First, so that it sees every request.
const stage = createStage();

const auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', restore: 'eager' });

/** Each call has a path of its own: so its tries are told from those of others. */
let item = 0;

/** @param {number} count */
async function call(count) {
  if ($('expire-first', HTMLInputElement).checked) await server.expireTokens();
  const calls = Array.from({ length: count }, () => stage.call(`/api/items/${++item}`, auth.fetch));
  await Promise.all(calls);
}

async function signIn() {
  await auth.login('/auth/login', { method: 'POST', body: new FormData($('sign-in-form', HTMLFormElement)) });
}

/** Does what a button says. What goes wrong is told in plain words. @param {() => Promise<unknown>} work @param {string} [done] */
async function act(work, done = '') {
  say('');
  try {
    say((await stage.act(work)) || done);
  } catch (error) {
    say(plain(error));
  }
}

/** @param {string} words */
function say(words) {
  $('message').textContent = words;
}

/** @param {string} id @param {() => Promise<unknown>} work @param {string} [done] */
function onClick(id, work, done) {
  $(id).addEventListener('click', () => void act(work, done));
}

/** A switch of the server's faults. One is on, or none. @param {string} id @param {'down' | 'slow'} fault */
function onSwitch(id, fault) {
  $(id).addEventListener('click', () => void flip(fault, $(id).getAttribute('aria-pressed') !== 'true'));
}

/** @param {'down' | 'slow'} fault @param {boolean} on */
async function flip(fault, on) {
  try {
    await server.setFault(on ? fault : 'none');
    await showFault();
  } catch (error) {
    say(plain(error));
  }
}

/** The switches belong to the server, and so to all tabs. */
async function showFault() {
  const fault = await server.fault();
  $('server-down').setAttribute('aria-pressed', String(fault === 'down'));
  $('slow-refresh').setAttribute('aria-pressed', String(fault === 'slow'));
}

$('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void act(signIn);
});
for (const account of document.querySelectorAll('[data-account]')) {
  account.addEventListener('click', () => {
    const { account: name = '', password = '' } = /** @type {HTMLElement} */ (account).dataset;
    $('username', HTMLInputElement).value = name;
    $('password', HTMLInputElement).value = password;
  });
}
onClick('sign-out', () => auth.logout());
onClick('call-once', () => call(1));
onClick('call-fifty', () => call(50));
onClick('refresh', () => auth.refresh());
onClick('expire', server.expireTokens, 'The server refuses the token now, and this page does not know it yet. Call something.');
onClick('revoke', server.endSessions, 'The session is dead on the server, and this page does not know it yet. Call something.');
onSwitch('server-down', 'down');
onSwitch('slow-refresh', 'slow');

logEvents(auth);
const settled = showSession(auth);
showFault().catch((error) => say(plain(error)));
document.addEventListener('visibilitychange', () => document.hidden || showFault().catch(() => {}));

await act(() => Promise.all([auth.ready, settled]));
if (auth.state.status === 'signed-out') stage.clear();
