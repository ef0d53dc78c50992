// Where the token lives in the test pages: in the page, or in the worker that the tests are configured to use.

import * as all from '/deeds.js'
import * as inPage from '/tokenkeep/index.js'
import * as isolated from '/tokenkeep/isolation/page.js'

export const { isTokenError, TokenError } = inPage

const deeds = new Map(Object.entries(all))

/** To the worker that was started last. */
let port
let asked = 0

// The manager opens its line to the service worker later, and may open new ones.
if (globalThis.homeOfTokens === 'service-worker') followLines()

/** The package's function, with the home in `homeOfTokens`, unless the options name one. */
export function createTokenManager(options, home = globalThis.homeOfTokens) {
  const isolation = options?.isolation ?? home
  if (!isolation) return inPage.createTokenManager(options)
  if (options?.isolation === 'service-worker') return isolated.createTokenManager({ worker: '/sw.js', ...options })
  if (options?.isolation) return isolated.createTokenManager(options)
  const isService = isolation === 'service-worker'
  const url = new URL(isService ? '/home-sw.js' : '/home-worker.js', location.origin)
  for (const name of globalThis.preparations ?? []) url.searchParams.append('with', name)
  if (globalThis.later) url.searchParams.set('later', later)
  if (isService) return isolated.createTokenManager({ worker: url.href, ...options, isolation })
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
  if (SharedWorker)
    globalThis.SharedWorker = class extends SharedWorker {
      constructor(url, options) {
        super(url, options)
        port = this.port
      }
    }
  try {
    return make()
  } finally {
    Object.assign(globalThis, { MessageChannel }, SharedWorker && { SharedWorker })
  }
}

/** Keeps the port of the newest line to a service worker. Registers the one of the tests as a module. */
function followLines() {
  const {
    MessageChannel,
    ServiceWorker,
    navigator: { serviceWorker },
  } = globalThis
  const others = new WeakMap()
  globalThis.MessageChannel = class extends MessageChannel {
    constructor() {
      super()
      others.set(this.port2, this.port1)
    }
  }
  const { postMessage } = ServiceWorker.prototype
  let opens
  port = new Promise((resolve) => (opens = resolve))
  ServiceWorker.prototype.postMessage = function (message, transfer) {
    postMessage.call(this, message, transfer)
    if (!transfer?.length) return
    port = others.get(transfer[0])
    // The page's earlier calls wait until the worker says on this port that it is alive. The answer to this comes after
    // that.
    port.flushed = () =>
      new Promise((resolve) => {
        const { tokenkeep: line } = message
        const flush = ++asked
        port.addEventListener('message', function hear({ data }) {
          if (data.test !== flush) return
          this.removeEventListener('message', hear)
          resolve()
        })
        postMessage.call(this, { test: flush, line })
      })
    opens(port)
  }
  const { register } = serviceWorker
  serviceWorker.register = (url, options) => {
    const isOurs = new URL(url, location.href).pathname === '/home-sw.js'
    return register.call(serviceWorker, url, { ...options, ...(isOurs && { type: 'module' }) })
  }
}

/** Does one of `deeds` where the token lives: in the page, or in that worker. */
globalThis.inHome = async (name, argument) =>
  globalThis.homeOfTokens ? inWorker(name, argument) : deeds.get(name)(argument)

async function inWorker(name, argument) {
  const to = await port
  await to.flushed?.()
  return ask(to, name, argument)
}

const ask = (to, name, argument) =>
  new Promise((resolve, reject) => {
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
