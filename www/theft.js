// @ts-check
// The choice of the token's home, and the attacks on it.

import { $, make } from './dom.js'
import { HOMES } from './homes.js'
import { stolen, theftSummary } from './words.js'

/** @typedef {import('./homes.js').Home} Home */
/** @typedef {import('./attacks/list.js').App} App */
/** @typedef {import('./attacks/run.js').Result} Result */

/** Each home needs its own page load, so that nothing of the previous home is left. @param {Home} chosen */
export function offerHomes(chosen) {
  const links = HOMES.map(({ name, title }) => {
    const link = /** @type {HTMLAnchorElement} */ (make('a', title))
    link.className = 'button'
    link.href = `?home=${name}`
    if (name === chosen.name) link.setAttribute('aria-current', 'true')
    const item = make('li')
    item.append(link)
    return item
  })
  $('homes').replaceChildren(...links)
  $('home-hint').textContent = chosen.hint
  // The second tab gets the same home.
  $('second-tab', HTMLAnchorElement).search = `?home=${chosen.name}`
}

/** @param {Home} home @param {App} app */
export function offerTheft(home, app) {
  const button = $('steal', HTMLButtonElement)
  const list = $('attacks')
  app.auth.subscribe(
    () => (button.disabled = list.dataset.state === 'running' || app.auth.state.status !== 'signed-in'),
  )

  button.addEventListener('click', async () => {
    button.disabled = true
    list.dataset.state = 'running'
    list.replaceChildren()
    $('theft-summary').textContent = 'The attacks are under way…'
    try {
      // Loaded only now, so that the attacks run after the package.
      const { runAttacks } = await import('./attacks/run.js')
      /** @type {Result[]} */
      const results = []
      await runAttacks(app, (result) => {
        results.push(result)
        list.append(row(result))
      })
      $('theft-summary').textContent = theftSummary(results, home)
    } finally {
      list.dataset.state = 'done'
      button.disabled = app.auth.state.status !== 'signed-in'
    }
  })
}

/** @param {Result} result */
function row(result) {
  const { attack, loot } = result
  const item = make('li')
  item.dataset.attack = attack.name
  item.dataset.got = result.failed ? 'failed' : loot ? 'token' : 'nothing'
  const verdict = make('p', stolen(result))
  verdict.className = 'verdict'
  item.append(make('h3', attack.title), make('p', attack.how), verdict)
  if (loot) {
    const { sub, exp } = loot.claims
    item.append(
      make('code', loot.shown),
      make('p', `for ${sub}, until ${new Date(Number(exp) * 1000).toLocaleTimeString()}`),
    )
  }
  return item
}
