// Where the manager lives, as the tests reach it: its clocks, its `fetch`, and whatever else of its platform a test takes into its hand. In
// the page that is the page's own; where HOME_OF_TOKENS says so, it is that of a worker. What can be done there is in pages/deeds.js.

import { milliseconds } from '../pages/clock.js'
import * as deeds from '../pages/deeds.js'
import { home } from './engine.mjs'
import { Lack } from './lack.mjs'

/** Does it there: after what the page has asked of its manager before, and before what it asks after that. */
export function inHome(page, deed, argument) {
  return page.evaluate(([name, argument]) => inHome(name, argument), [deed.name, argument])
}

/** Does it there, before the next manager. */
export function prepareHome(page, deed) {
  return home ? page.evaluate(prepare, deed.name) : page.evaluate(deed)
}

/** The same for a page that is not loaded yet: before all else, each time that it loads. */
export function prepareEachHome(page, deed) {
  return home ? page.addInitScript(prepare, deed.name) : page.addInitScript(deed)
}

/** In the page. */
function prepare(name) {
  ;(globalThis.preparations ??= []).push(name)
}

/** `takeTime`, for the next manager. The page's `time` is that of its home. */
export async function takeTimeOfHome(page) {
  await prepareHome(page, deeds.takeTime)
  if (home)
    await page.evaluate(
      () =>
        void (globalThis.time = Object.fromEntries(
          ['pass', 'set', 'skip'].map((name) => [name, (ms) => inHome(name, ms)]),
        )),
    )
}

/** In the place of Playwright's, which does not reach into workers. */
export const clockOfHome = (page) => ({
  install: () => prepareEachHome(page, deeds.installClock),
  fastForward: (time) => inHome(page, deeds.fastForward, milliseconds(time)),
})

/** Whether one manager is for all tabs. */
export const isForAllTabs = ['shared-worker', 'service-worker'].includes(home)

/** Whether a tab has the token of another: workers of the tabs' own hand none on. */
export const isHandedOn = home !== 'worker'

export function needsHandedOn() {
  if (!isHandedOn) throw new Lack('a token that is handed from tab to tab')
}

/** The tab has its token: from another, or by a refresh of its own. */
export function hasToken(tab) {
  if (!isHandedOn) return tab.evaluate(() => auth.refresh())
  return tab.evaluate(() => until(({ status }) => status === 'signed-in'))
}

/** The call that a tab has made stands in line for the lock; where one refresh is for all tabs, it has joined that. */
export async function standsInLine(tab) {
  if (isForAllTabs) return inHome(tab, deeds.nothing)
  await tab.evaluate(async () => {
    while (!(await navigator.locks.query()).pending.length);
  })
}
