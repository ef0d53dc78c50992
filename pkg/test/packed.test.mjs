// The package as it is published: packed, checked, installed into a new Vite project and put into plain pages, where it works without
// configuration.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { backend, TRIED_OUT, TRY_OUT } from './support/backend.mjs'
import { browser } from './support/browser.mjs'
import { serve } from './support/server.mjs'

const pkg = fileURLToPath(new URL('..', import.meta.url))
const { devDependencies, exports } = JSON.parse(readFileSync(join(pkg, 'package.json')))
const entries = Object.values(exports).flatMap((entry) => (entry.default ? [entry.default, entry.types] : []))
// For tools that do not read `exports`.
const stubs = Object.entries(exports).flatMap(([name, entry]) =>
  entry.default && name !== '.' ? [`${name.slice(2)}/package.json`] : [],
)
const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const run = (program, args, cwd = pkg) => promisify(execFile)(program, args, { cwd, timeout: 180_000 })
const installed = (name) => join(pkg, 'node_modules/.bin', name)

const [{ filename, files }] = JSON.parse((await run('npm', ['pack', '--json', '--pack-destination', scratch])).stdout)
const tarball = join(scratch, filename)
const chrome = await browser()

/** Serves a back end and `routes`, and opens a page of it. */
async function open(path, routes) {
  const back = backend()
  const server = await serve({ ...back.routes, '/refuse': () => (back.refuse(), ['text/plain', '']), ...routes })
  const page = await chrome.open(server.origin + path)
  return { page, back, server }
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** The route of a file. */
function file(path) {
  return [TYPES[extname(path)], readFileSync(path)]
}

/** Waits for the page's script to set `outcome`. */
async function outcome(page) {
  const handle = await page.waitForFunction(() => globalThis.outcome)
  return handle.jsonValue()
}

/** The copies of the sources that the source maps name. */
function sources() {
  const maps = files.map(({ path }) => path).filter((path) => path.endsWith('.map'))
  const named = (map) => JSON.parse(readFileSync(join(pkg, map))).sources.map((source) => join(dirname(map), source))
  return new Set(maps.flatMap(named))
}

describe('the tarball', () => {
  it('contains what is needed, and nothing else', () => {
    assert.deepEqual(
      files.map(({ path }) => path).sort(),
      [
        'CHANGELOG.md',
        'LICENSE-APACHE',
        'LICENSE-MIT',
        'README.md',
        'dist/core.wasm',
        'dist/error.d.ts',
        'dist/remote.d.ts',
        'dist/types.d.ts',
        'package.json',
        // The entry for isolation loads it if the token is kept in a service worker.
        'dist/isolation/attached.js',
        'dist/isolation/attached.js.map',
        ...entries.map((path) => path.slice(2)),
        ...entries.filter((path) => path.endsWith('.js')).map((path) => `${path.slice(2)}.map`),
        ...sources(),
        ...stubs,
      ].sort(),
    )
  })

  it('has an entry for each preset', () => {
    const named = Object.keys(exports).filter((name) => name.startsWith('./presets/'))
    assert.deepEqual(
      named,
      readdirSync(join(pkg, 'src/presets'))
        .map((name) => `./presets/${name.replace(/\.ts$/, '')}`)
        .sort(),
    )
  })

  it('passes publint', async () => {
    const { stdout } = await run(installed('publint'), [tarball, '--strict'])
    assert.match(stdout, /All good/)
  })

  it('has the right types for @arethetypeswrong/cli', async () => {
    // Also with `moduleResolution: node`. The WebAssembly itself is not a module; CommonJS has `import()` for modules.
    await run(installed('attw'), [
      tarball,
      '--ignore-rules',
      'cjs-resolves-to-esm',
      '--exclude-entrypoints',
      './core.wasm',
    ])
  })

  it('names nothing of the machine it was built on', () => {
    for (const { path } of files.filter(({ path }) => path.startsWith('dist/')))
      assert.ok(!readFileSync(join(pkg, path), 'latin1').includes(pkg), path)
  })
})

describe('in a new Vite project', () => {
  const project = join(scratch, 'vite')

  before(async () => {
    mkdirSync(project)
    const write = (name, text) => writeFileSync(join(project, name), text)
    write('package.json', JSON.stringify({ name: 'app', private: true, type: 'module' }))
    write('index.html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>')
    write('file.html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/file.js"></script>')
    const settle = `const outcome = (auth) => (${TRY_OUT})(auth).catch(String).then((it) => (globalThis.outcome = it))`
    write(
      'main.js',
      `import { createTokenManager } from 'tokenkeep'
      ${settle}
      outcome(createTokenManager({ refresh: '/auth/refresh' }))`,
    )
    write(
      'file.js',
      `import { createTokenManager } from 'tokenkeep/file'
      import wasm from 'tokenkeep/core.wasm?url'
      ${settle}
      outcome(createTokenManager({ refresh: '/auth/refresh' }, wasm))`,
    )
    // With the worker that the package names itself, and with one that the app names.
    write(
      'isolated.html',
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/isolated.js"></script>',
    )
    write(
      'isolated.js',
      `import { createTokenManager } from 'tokenkeep/isolated'
      ${settle}
      outcome(createTokenManager({ refresh: '/auth/refresh', isolation: location.hash.slice(1) }))`,
    )
    write('named.html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/named.js"></script>')
    write(
      'named.js',
      `import { createTokenManager } from 'tokenkeep/isolated'
      import TokenWorker from 'tokenkeep/worker/script?worker'
      ${settle}
      outcome(createTokenManager({ refresh: '/auth/refresh', isolation: 'worker', worker: () => new TokenWorker() }))`,
    )
    write(
      'attached.html',
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/attached.js"></script>',
    )
    write(
      'attached.js',
      `import { createTokenManager } from 'tokenkeep/isolated'
      ${settle}
      const worker = () => navigator.serviceWorker.register('/sw.js', { type: 'module' })
      outcome(createTokenManager({ isolation: 'service-worker', worker }))`,
    )
    write(
      'sw.js',
      `import { serve } from 'tokenkeep/service-worker'
      serve({ refresh: '/auth/refresh' }, { takeOver: true })`,
    )
    write(
      'vite.config.js',
      `export default { build: { rollupOptions: {
      input: ['index.html', 'file.html', 'isolated.html', 'named.html', 'attached.html', 'sw.js'],
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    } } }`,
    )
    await run(
      'npm',
      ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, `vite@${devDependencies.vite}`],
      project,
    )
    await run(join(project, 'node_modules/.bin/vite'), ['build', '--logLevel', 'error'], project)
  })

  const routes = () => {
    const built = {}
    for (const name of readdirSync(join(project, 'dist'), { recursive: true, encoding: 'utf8' })) {
      if (extname(name) in TYPES) built[`/${name}`] = file(join(project, 'dist', name))
    }
    return built
  }

  it('works after a build', async () => {
    const { page, back } = await open('/index.html', routes())
    assert.deepEqual(await outcome(page), TRIED_OUT)
    assert.equal(back.refreshes, 1)
    assert.deepEqual(page.errors, [])
  })

  it('works after a build, with the WebAssembly as a separate file', async () => {
    const built = routes()
    assert.ok(Object.keys(built).some((path) => path.endsWith('.wasm')))
    const { page, server } = await open('/file.html', built)
    assert.deepEqual(await outcome(page), TRIED_OUT)
    assert.equal(server.seen.filter((line) => line.includes('.wasm')).length, 1)
  })

  for (const path of ['/isolated.html#worker', '/isolated.html#shared-worker', '/named.html', '/attached.html']) {
    it(`works after a build, with the token in a worker: ${path}`, async () => {
      const { page, back } = await open(path, routes())
      assert.deepEqual(await outcome(page), TRIED_OUT)
      assert.equal(back.refreshes, 1)
      assert.deepEqual(page.errors, [])
    })
  }

  /** Tries a page of the dev server, with the back end behind it. */
  async function develop(path) {
    const back = backend()
    const api = await serve({ ...back.routes, '/refuse': () => (back.refuse(), ['text/plain', '']) })
    const { createServer } = await import(pathToFileURL(join(project, 'node_modules/vite/dist/node/index.js')).href)
    const proxy = Object.fromEntries(['/auth', '/api', '/refuse'].map((path) => [path, api.origin]))
    const dev = await createServer({
      root: project,
      logLevel: 'error',
      server: { port: 0, host: '127.0.0.1', proxy, hmr: false },
    })
    try {
      await dev.listen()
      const page = await chrome.open(`http://127.0.0.1:${dev.httpServer.address().port}${path}`)
      assert.deepEqual(await outcome(page), TRIED_OUT)
    } finally {
      await dev.close()
    }
  }

  it('works in the dev server', () => develop('/'))

  it('works in the dev server, with the token in a worker', () => develop('/named.html'))
})

describe('in a plain page', () => {
  const dist = (name) => file(join(pkg, 'dist', name))
  const html = (script, headers) => [
    'text/html',
    `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`,
    headers,
  ]
  const script = (text) => ['text/javascript', `import { createTokenManager } from '/tokenkeep/index.js'\n${text}`]
  const WORKS = script(`
    const auth = globalThis.auth = createTokenManager({ refresh: '/auth/refresh' })
    ;(${TRY_OUT})(auth).catch(String).then((it) => (globalThis.outcome = it))`)

  it('works', async () => {
    const { page } = await open('/', {
      '/': html('/main.js'),
      '/main.js': WORKS,
      '/tokenkeep/index.js': dist('index.js'),
    })
    assert.deepEqual(await outcome(page), TRIED_OUT)
    assert.deepEqual(page.errors, [])
  })

  it("works under a strict Content-Security-Policy with 'wasm-unsafe-eval'", async () => {
    const policy =
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'"
    const { page } = await open('/', {
      '/': html('/main.js', { 'content-security-policy': policy }),
      '/main.js': WORKS,
      '/tokenkeep/index.js': dist('index.js'),
    })
    assert.deepEqual(await outcome(page), TRIED_OUT)
  })

  it('without it, fails with one clear error, and sends nothing', async () => {
    const { page, server } = await open('/', {
      '/': html('/main.js', { 'content-security-policy': "script-src 'self'" }),
      '/main.js': script(`
        const auth = createTokenManager({ refresh: '/auth/refresh' })
        const calls = [auth.ready, auth.fetch('/api/me'), auth.login('/auth/login'), auth.refresh(), auth.logout('/auth/logout'), auth.setTokens({ accessToken: 'x' })]
        const settled = await Promise.allSettled(calls)
        globalThis.outcome = settled.map(({ reason }) => ({ code: reason.code, retryable: reason.retryable, helps: /wasm-unsafe-eval/.test(reason.message), cause: reason.cause.name }))`),
      '/tokenkeep/index.js': dist('index.js'),
    })
    assert.deepEqual(
      await outcome(page),
      Array(6).fill({ code: 'not-loaded', retryable: false, helps: true, cause: 'CompileError' }),
    )
    assert.deepEqual(
      server.seen.filter((line) => /auth|api/.test(line)),
      [],
    )
    assert.deepEqual(page.errors, [])
  })

  it('compiles once for all managers', async () => {
    const { page } = await open('/', {
      '/': html('/main.js'),
      '/main.js': script(`
        let compiled = 0
        const { compile } = WebAssembly
        WebAssembly.compile = (bytes) => (compiled++, compile(bytes))
        const managers = [1, 2, 3].map(() => createTokenManager({ refresh: '/auth/refresh' }))
        await Promise.all(managers.map(({ ready }) => ready))
        globalThis.outcome = { compiled }`),
      '/tokenkeep/index.js': dist('index.js'),
    })
    assert.deepEqual(await outcome(page), { compiled: 1 })
  })

  it('works in a worker', async () => {
    const { page } = await open('/', {
      '/': html('/main.js'),
      '/main.js': [
        'text/javascript',
        `
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onmessage = ({ data }) => (globalThis.outcome = data)
        worker.onerror = () => (globalThis.outcome = 'failed')`,
      ],
      '/worker.js': script(
        `(${TRY_OUT})(createTokenManager({ refresh: '/auth/refresh' })).catch(String).then((it) => postMessage(it))`,
      ),
      '/tokenkeep/index.js': dist('index.js'),
    })
    assert.deepEqual(await outcome(page), TRIED_OUT)
  })

  it('requests a file again that could not be loaded', async () => {
    let tries = 0
    const { page } = await open('/', {
      '/': html('/main.js'),
      '/main.js': [
        'text/javascript',
        `
        import { createTokenManager } from '/tokenkeep/file.js'
        const auth = createTokenManager({ refresh: '/auth/refresh' }, '/tokenkeep/core.wasm')
        const error = await auth.fetch('/api/me').catch((error) => error)
        globalThis.outcome = [error.code, error.retryable, error.status, (await auth.fetch('/api/me')).status]`,
      ],
      '/tokenkeep/file.js': dist('file.js'),
      '/tokenkeep/core.wasm': () => (tries++ ? dist('core.wasm') : ['text/plain', '', { status: 503 }]),
    })
    assert.deepEqual(await outcome(page), ['not-loaded', true, 503, 401])
  })

  it('accepts a file of any type, a Response, bytes and a module', async () => {
    const { page } = await open('/', {
      '/': html('/main.js'),
      '/main.js': [
        'text/javascript',
        `
        import { createTokenManager } from '/tokenkeep/file.js'
        const bytes = await (await fetch('/core')).arrayBuffer()
        const sources = ['/core', new URL('/core', location.href), fetch('/core'), await fetch('/core'), bytes, WebAssembly.compile(bytes)]
        globalThis.outcome = await Promise.all(sources.map((source) =>
          createTokenManager({ refresh: '/auth/refresh' }, source).ready.then(() => 'ready', String)))`,
      ],
      '/tokenkeep/file.js': dist('file.js'),
      '/core': ['application/octet-stream', dist('core.wasm')[1]],
    })
    assert.deepEqual(await outcome(page), Array(6).fill('ready'))
  })
})
