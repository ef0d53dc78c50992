// Where the token lives in the test pages: in the page, or in the worker that the tests are configured to use.

import * as all from '/deeds.js'
import * as inPage from '/tokenkeep/index.js'
import * as isolated from '/tokenkeep/isolation/page.js'

export const { isTokenError, TokenError } = inPage

const deeds = new Map(Object.entries(all))

/** To the worker that was started last. */
let port
let asked = 0

/** The package's function, with the home in `homeOfTokens`, unless the options name one. */
export function createTokenManager(options, home = globalThis.homeOfTokens) {
  const isolation = options?.isolation ?? home
  if (!isolation) return inPage.createTokenManager(options)
  if (isolation === 'service-worker') return isolated.createTokenManager({ worker: '/sw.js', ...options, isolation })
  if (options?.isolation) return isolated.createTokenManager(options)
  const url = new URL('/home-worker.js', location.origin)
  for (const name of globalThis.preparations ?? []) url.searchParams.append('with', name)
  if (globalThis.later) url.searchParams.set('later', later)
  return overheard(() => isolated.createTokenManager({ worker: url.href, ...options, isolation }))
}

/** What `make` makes; keeps the port by which it speaks to its worker. */
function overheard(make) {
  const { MessageChannel, SharedWorker } = globalThis
  globalThis.MessageChannel = class extends MessageChannel {
    constructor() {
      super()
      port = this.port1
    }
  }
  if (SharedWorker) globalThis.SharedWorker = class extends SharedWorker {
    constructor(...args) {
      super(...args)
      port = this.port
    }
  }
  try {
    return make()
  } finally {
    Object.assign(globalThis, { MessageChannel }, SharedWorker && { SharedWorker })
  }
}

/** Does one of `deeds` where the token lives: in the page, or in that worker. */
globalThis.inHome = async (name, argument) => (globalThis.homeOfTokens ? inWorker(name, argument) : deeds.get(name)(argument))

const inWorker = (name, argument) => new Promise((resolve, reject) => {
  const to = port
  const test = ++asked
  const hear = ({ data }) => {
    if (data.test !== test) return
    to.removeEventListener('message', hear)
    if ('error' in data) reject(new Error(data.error))
    else resolve(data.value)
  }
  to.addEventListener('message', hear)
  to.postMessage({ test, name, argument })
})
