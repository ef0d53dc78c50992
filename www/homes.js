// @ts-check
// The homes of the token that the page offers. All have the same options; the workers get them from their own script,
// out of the page's reach.

/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

/**
 * `choice` makes the options for the `createTokenManager` of `module`. A worker reports its traffic on the channel
 * `traffic`.
 * @typedef {{ name: string, title: string, hint: string, module: string, traffic?: string, choice: () => object }} Home
 */

/** @satisfies {import('/tokenkeep/isolation/worker.js').WorkerOptions} */
export const OPTIONS = { refresh: '/auth/refresh', logout: '/auth/logout', restore: /** @type {const} */ ('eager') }

const SCRIPT = './worker.js'
const ISOLATED = '/tokenkeep/isolation/page.js'
// A dedicated worker reports to its own tab only.
const TAB = `demo ${performance.timeOrigin} ${Math.random()}`
const SHARED = 'demo of all tabs'
/** The channel for the service worker's traffic: it has no name. */
export const SERVICE = 'demo of the service worker'

/** @type {Home[]} */
export const HOMES = [
  {
    name: 'page',
    title: 'Page',
    hint: 'The token is in the memory of this page, together with the scripts of the app.',
    module: '/tokenkeep/index.js',
    choice: () => OPTIONS,
  },
  {
    name: 'worker',
    title: 'Worker',
    hint: 'The token is in a worker of this tab. The page sends calls to it and gets the answers.',
    module: ISOLATED,
    traffic: TAB,
    choice: () => ({ isolation: 'worker', worker: () => new Worker(SCRIPT, { type: 'module', name: TAB }) }),
  },
  {
    name: 'shared-worker',
    title: 'Shared worker',
    hint: 'The token is in one worker for all tabs of this site. One refresh serves them all.',
    module: ISOLATED,
    traffic: SHARED,
    choice: () => ({
      isolation: 'shared-worker',
      worker: () => new SharedWorker(SCRIPT, { type: 'module', name: SHARED }),
    }),
  },
  {
    name: 'service-worker',
    title: 'Service worker',
    hint: 'The token is in the service worker. It also adds the token to the page’s own requests to /api.',
    module: ISOLATED,
    traffic: SERVICE,
    choice: () => ({ isolation: 'service-worker', worker: registered }),
  },
]

/** Pages with another home are outside of the scope: they refresh on their own. */
function registered() {
  return navigator.serviceWorker.register('./service-worker.js', { type: 'module', scope: './?home=service-worker' })
}

const [PAGE] = HOMES

/** The home that the page's URL names, by default the page. @returns {Home} */
export function chosenHome() {
  const name = new URLSearchParams(location.search).get('home')
  return /** @type {Home} */ (HOMES.find((home) => home.name === name) ?? PAGE)
}

/** @param {Home} home */
export async function openHome(home) {
  const { createTokenManager } = await import(home.module)
  return /** @returns {TokenManager} */ () => createTokenManager(home.choice())
}
