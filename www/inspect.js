// @ts-check
// The package's own inspector, loaded when somebody asks for it.

import { $ } from './dom.js'

/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

/** @param {TokenManager} auth */
export function offerInspector(auth) {
  const button = $('inspect')
  /** @type {Promise<import('/tokenkeep/session/inspector.js').Inspector> | undefined} */
  let opened
  button.addEventListener('click', async () => {
    const open = opened
    opened = open
      ? undefined
      : import('/tokenkeep/session/inspector.js').then(({ inspect }) => inspect(auth, { console: false }))
    button.setAttribute('aria-pressed', String(!open))
    ;(await open)?.dispose()
  })
}
