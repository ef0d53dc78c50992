// Importing the built package and creating a manager does no harm without a page: on a server, in a minimal test environment, in a program
// that must end by itself.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { transform } from 'esbuild'

const pkg = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program in a new Node process and returns its output. It must end by itself, without warnings. */
function run(program) {
  return execFileSync(process.execPath, ['--unhandled-rejections=strict', '--input-type=module', '--eval', program], {
    cwd: pkg,
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()
}

/** The built entry in a realm that has only JavaScript itself and `globals`. */
async function bare(globals = {}) {
  const { code } = await transform(readFileSync(`${pkg}dist/index.js`, 'utf8'), {
    format: 'iife',
    globalName: 'tokenkeep',
  })
  const context = createContext(globals)
  runInContext(code, context)
  return context.tokenkeep ?? runInContext('tokenkeep', context)
}

describe('under Node', () => {
  for (const entry of ['tokenkeep', 'tokenkeep/file']) {
    it(`importing ${entry} and making a manager loads nothing and keeps nothing alive`, () => {
      const printed = run(`
        for (const name of ['fetch', 'WebAssembly', 'DecompressionStream', 'TextDecoder', 'BroadcastChannel', 'EventTarget']) {
          const real = globalThis[name]
          Object.defineProperty(globalThis, name, { get() { if (name !== 'EventTarget') console.log('used', name); return real } })
        }
        const { createTokenManager } = await import('${entry}')
        const auth = createTokenManager({ refresh: '/auth/refresh' }, '/core.wasm')
        auth.subscribe(() => {})
        auth.addEventListener('change', () => {})
        console.log(JSON.stringify(auth.state))
      `)
      assert.equal(printed, '{"status":"unknown","claims":null,"expiresAt":null,"sessionExpiresAt":null}')
    })
  }

  it('every call says that this is a server, and nothing is sent or kept', () => {
    const printed = run(`
      import { createServer } from 'node:http'
      import { createTokenManager, isTokenError } from 'tokenkeep'
      let arrived = 0
      const server = createServer((request, response) => {
        arrived++
        response.setHeader('content-type', 'application/json')
        response.end('{"access_token":"abc","expires_in":300}')
      })
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      const origin = 'http://127.0.0.1:' + server.address().port
      const auth = createTokenManager({ refresh: origin + '/refresh', apis: [origin], exposeToken: true })
      auth.ready
      const calls = {
        ready: () => auth.ready, fetch: () => auth.fetch(origin + '/api'), login: () => auth.login(origin + '/login'), logout: () => auth.logout(),
        refresh: () => auth.refresh(), setTokens: () => auth.setTokens({ accessToken: 'abc' }), getAccessToken: () => auth.getAccessToken(),
        signedIn: () => auth.signedIn(), exchange: () => auth.exchange(origin + '/switch'),
      }
      for (const [name, call] of Object.entries(calls)) {
        const error = await call().catch((error) => error)
        if (!isTokenError(error) || error.code !== 'server' || error.retryable || !/server/.test(error.message)) console.log(name, error)
      }
      console.log(arrived, auth.state.status)
      auth.dispose()
      server.close()
    `)
    assert.equal(printed, '0 unknown')
  })
})

describe('in a realm with nothing but JavaScript', () => {
  it('the package can be imported, and a manager created', async () => {
    const { createTokenManager, isTokenError } = await bare()
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    assert.equal(auth.state.status, 'unknown')
    auth.addEventListener('change', () => {})
    auth.subscribe(() => {})()
    await assert.rejects(auth.ready, (/** @type {any} */ error) => isTokenError(error) && error.code === 'server')
    auth.dispose()
  })

  it('such a page gets one clear error, too', async () => {
    const { createTokenManager } = await bare({ location: { href: 'https://page.test/' } })
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    await assert.rejects(auth.refresh(), (/** @type {any} */ error) => error.code === 'not-loaded')
    await assert.rejects(auth.fetch('/api'), (/** @type {any} */ error) => error.code === 'not-loaded')
  })
})
