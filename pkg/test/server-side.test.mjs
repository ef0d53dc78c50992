// Importing the built package, and making a manager, does no harm where there is no page: on a server, in a test environment
// that has next to nothing, in a program that must end by itself.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import { transform } from 'esbuild'

const pkg = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program in a Node of its own; what it prints. It must end by itself, and without a word of complaint. */
function run(program) {
  return execFileSync(process.execPath, ['--unhandled-rejections=strict', '--input-type=module', '--eval', program], {
    cwd: pkg, encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()
}

/** The built entry in a realm that has JavaScript itself, and what `globals` add. */
async function bare(globals = {}) {
  const { code } = await transform(readFileSync(`${pkg}dist/index.js`, 'utf8'), { format: 'iife', globalName: 'tokenkeep' })
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
      assert.equal(printed, '{"status":"unknown","claims":null,"expiresAt":null}')
    })
  }

  it('a relative refresh is one clear error, for every call', () => {
    const printed = run(`
      import { createTokenManager, isTokenError } from 'tokenkeep'
      const auth = createTokenManager({ refresh: '/auth/refresh' })
      for (const call of [auth.ready, auth.fetch('https://api.test/'), auth.refresh()]) {
        await call.catch((error) => console.log(isTokenError(error), error.code, error.message.includes('refresh')))
      }
    `)
    assert.equal(printed, Array(3).fill('true invalid-option true').join('\n'))
  })

  it('a manager with absolute URLs works, and lets the program end', () => {
    const printed = run(`
      import { createServer } from 'node:http'
      import { createTokenManager } from 'tokenkeep'
      const server = createServer((request, response) => {
        response.setHeader('content-type', 'application/json')
        if (request.url === '/refresh') response.end('{"access_token":"abc","expires_in":300}')
        else response.end(JSON.stringify(request.headers.authorization ?? null))
      })
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      const origin = 'http://127.0.0.1:' + server.address().port
      const auth = createTokenManager({ refresh: origin + '/refresh', apis: [origin] })
      console.log(await (await auth.fetch(origin + '/api')).json(), auth.state.status)
      server.close()
      server.closeAllConnections()
    `)
    assert.equal(printed, 'Bearer abc signed-in')
  })
})

describe('in a realm that has nothing but JavaScript', () => {
  it('it can be imported, and a manager be made', async () => {
    const { createTokenManager, isTokenError } = await bare()
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    assert.equal(auth.state.status, 'unknown')
    auth.addEventListener('change', () => {})
    auth.subscribe(() => {})()
    await assert.rejects(auth.ready, (error) => isTokenError(error) && error.code === 'not-loaded')
    auth.dispose()
  })

  it('a page of that kind gets one clear error, too', async () => {
    const { createTokenManager } = await bare({ location: { href: 'https://page.test/' } })
    const auth = createTokenManager({ refresh: '/auth/refresh' })
    await assert.rejects(auth.refresh(), (error) => error.code === 'not-loaded')
    await assert.rejects(auth.fetch('/api'), (error) => error.code === 'not-loaded')
  })
})
