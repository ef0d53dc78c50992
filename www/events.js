// @ts-check
// The log of the package's events, newest first.

import { $, make } from './dom.js'
import { plain, signoutReason } from './words.js'

/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

const MOST = 30

const STATES = { unknown: 'Nobody has asked the server yet.', 'signed-in': 'Signed in.', 'signed-out': 'Signed out.' }

/** @param {TokenManager} auth */
export function logEvents(auth) {
  auth.addEventListener('change', () => log('change', STATES[auth.state.status]))
  auth.addEventListener('refresh', () => log('refresh', 'There is a new token.'))
  auth.addEventListener('signout', ({ reason }) => log('signout', `Over: ${signoutReason(reason)} (${reason}).`))
  auth.addEventListener('refresherror', ({ error }) => log('refresherror', plain(error)))
}

/** @param {string} type @param {string} words */
function log(type, words) {
  const entry = make('li')
  entry.dataset.type = type
  entry.append(make('time', new Date().toLocaleTimeString()), ' ', make('code', type), ' ', make('span', words))
  const list = $('events')
  list.prepend(entry)
  while (list.children.length > MOST) list.lastElementChild?.remove()
}
