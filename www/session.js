// @ts-check
// The session card: who is signed in, what the token claims, how long it lasts.

import { $, make } from './dom.js'
import { claim, signoutReason } from './words.js'

/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

/**
 * Shows the session from now on. Resolves when the session is known, or when its first refresh has failed.
 * @param {TokenManager} auth
 */
export function showSession(auth) {
  let why = ''
  let life = 0

  const show = () => {
    const { status, claims, expiresAt } = auth.state
    const isIn = status === 'signed-in'
    if (isIn) why = ''
    document.body.dataset.session = status
    const who = isIn ? `Signed in${claims ? ` as ${claim('sub', claims.sub)}` : ''}` : 'Signed out'
    $('status').textContent = status === 'unknown' ? 'Not known yet' : who + (why && `: ${why}`)
    turn(isIn)
    $('claims').replaceChildren(
      ...Object.entries(claims ?? {}).flatMap(([name, value]) => [make('dt', name), make('dd', claim(name, value))]),
    )
    life = (expiresAt ?? 0) - Date.now()
    tick()
  }

  const tick = () => {
    const { expiresAt } = auth.state
    const left = Math.max((expiresAt ?? 0) - Date.now(), 0)
    $('countdown').textContent = expiresAt === null ? '–' : `${Math.ceil(left / 1000)} s`
    $('life', HTMLProgressElement).value = life > 0 ? left / life : 0
  }

  setInterval(tick, 250)
  auth.addEventListener('signout', ({ reason }) => {
    why = signoutReason(reason)
    show()
  })
  auth.subscribe(show)
  // On a phone the picture comes first.
  $('claims-box', HTMLDetailsElement).open = matchMedia('(min-width: 60rem)').matches

  return new Promise((resolve) => {
    for (const type of /** @type {const} */ (['change', 'refresherror']))
      auth.addEventListener(type, resolve, { once: true })
    // If the worker does not start, neither event comes.
    auth.ready.catch(resolve)
  }).finally(show)
}

/**
 * Shows the signed-in or the signed-out side, and moves the keyboard focus there if it was in the other side.
 * @param {boolean} isIn
 */
function turn(isIn) {
  const gone = isIn ? [$('sign-in-form')] : [$('signed-in'), $('sign-out')]
  const hadFocus = gone.some((part) => part.contains(document.activeElement))
  $('sign-in-form').hidden = isIn
  $('signed-in').hidden = $('sign-out').hidden = !isIn
  if (hadFocus) $(isIn ? 'call-fifty' : 'sign-in').focus()
}
