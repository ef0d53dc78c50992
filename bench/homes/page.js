// The contestants of the part `homes`, all in one page, so that they can take turns.

import { Auth0Client } from '@auth0/auth0-spa-js'
import { createTokenManager as inPage } from 'tokenkeep'
import { createTokenManager as isolated } from 'tokenkeep/isolated'

const KINDS = {
  json: ['/api/items/1', {}],
  post: [
    '/api/items/1',
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Ada Lovelace"}' },
  ],
  large: ['/api/large', {}],
}
const SCRIPT = '/homes/token-worker.js'

const contestants = {}
const tokens = {}

/** A manager. `how` contains the options for the token's home and for DPoP. */
async function manager(name, make, how) {
  const auth = make({ refresh: '/auth/refresh', name, ...how })
  await auth.login('/auth/login')
  contestants[name] = { send: auth.fetch, token: () => auth.refresh() }
}

const SCOPE = { own: '/homes/framed/', bare: '/homes/bare/' }

/** A manager in a service worker, and the `fetch` of a frame that this worker controls. */
async function inServiceWorker() {
  const worker = () => register('/homes/service-worker.js', SCOPE.own)
  const auth = isolated({ isolation: 'service-worker', worker })
  await auth.login('/auth/login')
  contestants['service-worker'] = { send: auth.fetch, token: () => auth.refresh(), mayEnd: true }
  contestants['service-worker fetch'] = { send: await fetchOfFrame(SCOPE.own), mayEnd: true }
}

/** The `fetch` of a frame whose service worker only forwards. */
async function inBareServiceWorker() {
  const { installing, active } = await register('/homes/bare-service-worker.js', SCOPE.bare)
  if (!active) {
    await new Promise((resolve) => {
      installing.onstatechange = () => installing.state === 'activated' && resolve()
    })
  }
  const fetch = await fetchOfFrame(SCOPE.bare)
  contestants['bare service worker fetch'] = { send: (url, init) => fetch(url, withToken(init)), mayEnd: true }
}

const register = (script, scope) => navigator.serviceWorker.register(script, { type: 'module', scope })

/**
 * The `fetch` of a frame in the scope of a service worker. The page and the other workers are outside of the scopes, so
 * their calls go through none.
 */
async function fetchOfFrame(scope) {
  const frame = Object.assign(document.createElement('iframe'), { src: `${scope}page.html` })
  await new Promise((resolve) => {
    frame.onload = resolve
    document.body.append(frame)
  })
  const { navigator, fetch } = frame.contentWindow
  if (!navigator.serviceWorker.controller) throw new Error('the frame has no service worker')
  return fetch
}

const withToken = ({ headers, ...init }) => ({
  ...init,
  headers: { ...headers, Authorization: `Bearer ${tokens.bare}` },
})

/** Calls through messages to a worker with a bare `fetch`. */
function bare(name, port) {
  const waiting = new Map()
  let last = 0
  port.onmessage = ({ data }) => {
    waiting.get(data.id)(data)
    waiting.delete(data.id)
  }
  const ask = (message) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve)
      port.postMessage({ id: last, ...message })
    })
  const send = async (url, init) => {
    const { body, ...how } = await ask({ url, init: withToken(init) })
    return new Response(body, how)
  }
  contestants[name] = { send, token: async () => void (await (await send('/auth/refresh', { method: 'POST' })).json()) }
  contestants[`${name} alone`] = {
    loop: async (url, init, count) => (await ask({ url, init: withToken(init), count })).ms,
  }
}

async function auth0() {
  const client = new Auth0Client({
    domain: location.origin,
    clientId: 'bench',
    useRefreshTokens: true,
    cacheLocation: 'memory',
    authorizationParams: { redirect_uri: location.origin },
  })
  let asked
  await client.loginWithRedirect({ openUrl: (url) => void (asked = new URL(url).searchParams) })
  await fetch(`/oauth/nonce?nonce=${encodeURIComponent(asked.get('nonce'))}`, { method: 'POST' })
  await client.handleRedirectCallback(`${location.origin}/?code=code&state=${encodeURIComponent(asked.get('state'))}`)
  contestants.auth0 = {
    send: async (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${await client.getTokenSilently()}` } }),
    token: () => client.getTokenSilently({ cacheMode: 'off' }),
  }
}

/** Only one ES256 signature, as for a proof. */
async function signing() {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const text = new Uint8Array(300)
  contestants.sign = {
    async loop(_url, _init, count) {
      const began = performance.now()
      for (let i = 0; i < count; i++) await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, text)
      return performance.now() - began
    },
  }
}

Object.assign(globalThis.bench, {
  async openHomes() {
    tokens.bare = (await (await fetch('/auth/login', { method: 'POST' })).json()).access_token
    contestants.fetch = {
      send: (url, init) => fetch(url, withToken(init)),
      token: async () => void (await (await fetch('/auth/refresh', { method: 'POST' })).json()),
    }
    bare('bare worker', new Worker('/homes/bare-worker.js', { type: 'module' }))
    bare('bare shared worker', new SharedWorker('/homes/bare-worker.js', { type: 'module' }).port)
    await manager('page', inPage)
    await manager('worker', isolated, { isolation: 'worker', worker: SCRIPT })
    await manager('shared-worker', isolated, { isolation: 'shared-worker', worker: SCRIPT })
    await manager('page dpop', inPage, { dpop: true })
    await manager('worker dpop', isolated, { isolation: 'worker', worker: SCRIPT, dpop: true })
    await inServiceWorker()
    await inBareServiceWorker()
    await auth0()
    await signing()
    return Object.keys(contestants)
  },

  /** Makes `count` calls one after the other, and reads each response to its end. Resolves to the milliseconds. */
  async loopHome(name, kind, count) {
    const { send, token, loop, mayEnd } = contestants[name]
    const [url, init] = KINDS[kind] ?? []
    // The browser may have ended the worker since its last turn; its start is not measured.
    if (mayEnd) await (await send(...KINDS.json)).arrayBuffer()
    if (loop) return loop(url, init, count)
    const began = performance.now()
    if (kind === 'token') for (let i = 0; i < count; i++) await token()
    else
      for (let i = 0; i < count; i++) {
        const response = await send(url, init)
        const { byteLength } = await response.arrayBuffer()
        if (response.status !== 200 || !byteLength) throw new Error(`answered with ${response.status}`)
      }
    return performance.now() - began
  },
})
