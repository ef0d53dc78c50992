// @ts-check
// The attacks. Each does what any script in the page could do after the package was loaded.

import { holdsToken } from './judge.js'
import { channelNames, speaksTo } from './reach.js'

/** @typedef {import('./spy.js').Spy} Spy */
/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

/**
 * `use` runs the app meanwhile: it refreshes, and calls the API.
 * @typedef {{ auth: TokenManager, use: () => Promise<unknown> }} App
 * @typedef {{ name: string, title: string, how: string, isInherent?: boolean, run: (spy: Spy, app: App) =>
 *   Promise<unknown> }} Attack
 */

/** How long the listener waits for a token after the app's calls, in milliseconds. */
const LISTEN = 2000

const REFRESH = {
  method: 'POST',
  credentials: /** @type {const} */ ('include'),
  headers: { 'X-Requested-With': 'fetch' },
}

/** @type {Attack[]} */
export const ATTACKS = [
  {
    name: 'fetch',
    title: 'Patch fetch and Headers',
    how: 'Replaces fetch, Headers and Request with its own functions, and reads what the app sends.',
    run(spy, app) {
      spy.patch(globalThis, 'fetch', 'Headers', 'Request')
      spy.patchAll(Headers.prototype)
      return app.use()
    },
  },
  {
    name: 'promise',
    title: 'Patch Promise and Response',
    how: 'Replaces Promise.prototype.then and Response.prototype.json, and reads the answer to a refresh.',
    run(spy, app) {
      spy.patch(Response.prototype, 'json', 'text', 'arrayBuffer', 'clone', 'body')
      spy.replace(Promise.prototype, 'then', (original) => {
        /** @this {unknown} @param {any} work @param {...unknown} more */
        return function then(work, ...more) {
          const heard =
            typeof work === 'function'
              ? (/** @type {unknown} */ value) =>
                  (spy.keep(value), work(value))
              : work
          return Reflect.apply(original, this, [heard, ...more])
        }
      })
      return app.use()
    },
  },
  {
    name: 'memory',
    title: 'Search the WebAssembly memory',
    how: 'Patches WebAssembly, Uint8Array and DataView to get hold of the package’s memory, and searches all of it.',
    run(spy, app) {
      spy.patch(WebAssembly, 'instantiate', 'Instance')
      spy.patch(WebAssembly.Memory.prototype, 'buffer')
      spy.patch(globalThis, 'Uint8Array', 'DataView', 'Uint32Array', 'Int32Array')
      spy.patch(Object.getPrototypeOf(Uint8Array.prototype), 'subarray', 'set', 'slice', 'buffer')
      return app.use()
    },
  },
  {
    name: 'messages',
    title: 'Forge messages',
    how: 'Gets hold of the port to the worker, if there is one, and asks for the token there. Calls the refresh endpoint through the manager.',
    async run(spy, { auth, use }) {
      const ports = await speaksTo(spy, use)
      for (const port of ports) await ask(spy, port)
      const peek = /** @type {Promise<unknown>} */ (auth.getAccessToken()).catch(() => undefined)
      const answer = auth.fetch('/auth/refresh', REFRESH).then(
        (response) => response.text(),
        () => undefined,
      )
      spy.keep(await peek, await answer, auth.state)
    },
  },
  {
    name: 'channel',
    title: 'Listen to the channel between tabs',
    how: 'Finds the name of the BroadcastChannel that tabs share tokens over, and listens.',
    async run(spy, app) {
      const ears = (await channelNames()).map((name) => new BroadcastChannel(name))
      if (!ears.length) throw new Error('no channel was found')
      const heard = new Promise((/** @type {(value: void) => void} */ resolve) => {
        for (const ear of ears)
          ear.onmessage = ({ data }) => {
            spy.keep(data)
            if (holdsToken(JSON.stringify(data))) resolve()
          }
      })
      await app.use()
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, LISTEN))])
      for (const ear of ears) ear.close()
    },
  },
  {
    name: 'refresh',
    title: 'Refresh by the cookie',
    how: 'Sends the refresh request itself. The browser adds the cookie for any script of the page.',
    isInherent: true,
    async run(spy) {
      // A service worker rejects it.
      const answer = await fetch('/auth/refresh', REFRESH).catch(() => undefined)
      spy.keep(await answer?.text())
    },
  },
]

/** Sends forged messages on the page's own port, and keeps the answers. @param {Spy} spy @param {MessagePort} port */
async function ask(spy, port) {
  const methods = ['getAccessToken', 'peekAccessToken', 'state', 'known', 'refresh']
  const request = {
    url: new URL('/auth/refresh', location.href).href,
    init: { method: 'POST', headers: [['X-Requested-With', 'fetch']] },
  }
  // The ids of the page's own calls are smaller.
  const messages = [
    ...methods.map((method, n) => ({ kind: 'call', id: 1e6 + n, method })),
    { kind: 'fetch', id: 2e6, request },
    { kind: 'call', id: 2e6 + 1, method: 'exchange', request },
  ]
  const waiting = new Set(messages.map(({ id }) => id))
  const over = new AbortController()
  await new Promise((/** @type {(value: void) => void} */ resolve) => {
    port.addEventListener(
      'message',
      ({ data }) => {
        spy.keep(data)
        waiting.delete(data.id)
        if (!waiting.size) resolve()
      },
      { signal: over.signal },
    )
    port.postMessage({ kind: 'token' })
    port.postMessage({ kind: 'hello', version: 1, options: { exposeToken: true }, marks: {}, maybeSignIn: false })
    for (const message of messages) port.postMessage(message)
  })
  over.abort()
}
