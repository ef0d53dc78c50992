// @ts-check
// The demo's app: it uses tokenkeep like any page, and connects the buttons.

import { $ } from './dom.js'
import { logEvents } from './events.js'
import { chosenHome, openHome } from './homes.js'
import { offerInspector } from './inspect.js'
import * as server from './server.js'
import { showSession } from './session.js'
import { createStage } from './stage.js'
import { offerHomes, offerTheft } from './theft.js'
import { beginning, loginFailed, logoutFailed, outcome, plain } from './words.js'

const home = chosenHome()
offerHomes(home)
const createTokenManager = await openHome(home)

// Before the manager is made, so that it sees every request.
const stage = createStage(home.traffic)

const auth = createTokenManager()

/** Each call has its own path, which distinguishes its tries from those of other calls. */
let item = 0

/** @param {number} count */
async function call(count) {
  if ($('expire-first', HTMLInputElement).checked) await server.expireTokens()
  const calls = Array.from({ length: count }, () => stage.call(`/api/items/${++item}`, auth.fetch))
  await Promise.all(calls)
}

async function signIn() {
  await auth.login('/auth/login', { method: 'POST', body: new FormData($('sign-in-form', HTMLFormElement)) })
}

/**
 * Does the work of a button, and describes the result in plain words.
 * @param {() => Promise<unknown>} work
 * @param {(error: any) => string} [failed]
 * @param {(scene: import('./scene.js').Scene) => string} [done]
 */
async function act(work, failed = plain, done = outcome) {
  say('')
  try {
    say(done(await stage.act(work)))
  } catch (error) {
    say(failed(error))
  }
}

/**
 * Changes a switch of the server, without a new picture.
 * @param {() => Promise<unknown>} change @param {string} words
 */
async function pull(change, words) {
  try {
    await change()
    await showFault()
    say(words)
  } catch (error) {
    say(plain(error))
  }
}

/** @param {string} words */
function say(words) {
  $('message').textContent = words
}

/** @param {string} id @param {() => void} listener */
function onClick(id, listener) {
  $(id).addEventListener('click', listener)
}

/** At most one fault is on. @param {string} id @param {'down' | 'slow'} fault */
function onSwitch(id, fault) {
  onClick(id, () => {
    const isOn = $(id).getAttribute('aria-pressed') === 'true'
    void pull(() => server.setFault(isOn ? 'none' : fault), '')
  })
}

/** The switches belong to the server, and so to all tabs. */
async function showFault() {
  const fault = await server.fault()
  $('server-down').setAttribute('aria-pressed', String(fault === 'down'))
  $('slow-refresh').setAttribute('aria-pressed', String(fault === 'slow'))
}

$('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void act(signIn, loginFailed)
})
for (const account of document.querySelectorAll('[data-account]')) {
  account.addEventListener('click', () => {
    const { account: name = '', password = '' } = /** @type {HTMLElement} */ (account).dataset
    $('username', HTMLInputElement).value = name
    $('password', HTMLInputElement).value = password
  })
}
onClick('sign-out', () => act(() => auth.logout(), logoutFailed))
onClick('call-once', () => act(() => call(1)))
onClick('call-fifty', () => act(() => call(50)))
onClick('refresh', () => act(() => auth.refresh()))
onClick('expire', () =>
  pull(server.expireTokens, 'The server refuses the token now. This page does not know yet: call something.'),
)
onClick('revoke', () =>
  pull(server.endSessions, 'The session is dead on the server. This page does not know yet: call something.'),
)
onSwitch('server-down', 'down')
onSwitch('slow-refresh', 'slow')

logEvents(auth)
offerInspector(auth)
offerTheft(home, {
  auth,
  async use() {
    await auth.refresh()
    await (await auth.fetch('/api/me')).json()
  },
})
const settled = showSession(auth)
showFault().catch((error) => say(plain(error)))
document.addEventListener('visibilitychange', () => document.hidden || showFault().catch(() => {}))

await act(
  () => Promise.all([auth.ready, settled]),
  plain,
  (scene) => beginning(scene, auth.state, home),
)
if (auth.state.status === 'signed-out') stage.clear()
