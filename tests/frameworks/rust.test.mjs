// Yew and Leptos: the apps in examples/spa, whose code is on their pages.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { files } from './support/page.mjs'
import { enter, visible } from './support/rows.mjs'
import { isQuiet, pages, startSite, world } from './support/site.mjs'

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const TARGET = at('target/spa')
const WASM = 'wasm32-unknown-unknown'

const HTML = `<!doctype html>
<meta charset="utf-8">
<title>tokenkeep</title>
<link rel="icon" href="data:,">
<body></body>
<script type="module">
  import init from './app.js'
  await init()
</script>
`

const run = promisify(execFile)
await run('cargo', ['build', '--quiet', '--locked', '--target', WASM, '--target-dir', TARGET], {
  cwd: at('examples/spa'),
})

/** Builds a page from a program; returns its folder. */
async function bind(name) {
  const folder = join(TARGET, 'pages', name)
  mkdirSync(folder, { recursive: true })
  await run('wasm-bindgen', [
    '--target',
    'web',
    '--no-typescript',
    '--out-name',
    'app',
    '--out-dir',
    folder,
    join(TARGET, WASM, `debug/tokenkeep-${name}.wasm`),
  ])
  writeFileSync(join(folder, 'index.html'), HTML)
  return folder
}

const { it } = await world()
const sites = {}
for (const name of ['yew', 'leptos']) sites[name] = await startSite(pages(await bind(name)))

for (const [name, site] of Object.entries(sites)) {
  const here = (what, body) => it(site, `${name}: ${what}`, body)

  visible(here)

  here('three calls with a token that has ended cost one refresh', async (open, server) => {
    const page = await enter(open)
    const before = await server.refreshes()
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    const answered = new Promise((resolve) => {
      const good = []
      page.on(
        'response',
        (response) =>
          response.url().endsWith('/api/me') && response.status() === 200 && good.push(response) === 3 && resolve(),
      )
    })
    for (let call = 0; call < 3; call += 1) await page.click('text=Who am I?')
    await server.held('refresh')
    await server.release('refresh')
    await answered
    await page.locator('pre', { hasText: 'alice' }).waitFor()
    assert.equal(await server.refreshes(), before + 1)
    assert.ok((await server.lines('/api/me')).includes('GET /api/me 401'))
    isQuiet(page)
  })

  here('signing out leads to the form', async (open, server) => {
    const page = await enter(open)
    const told = page.waitForResponse(/auth.logout/)
    await page.click('text=Sign out')
    await page.locator('[name=username]').waitFor()
    // The session ends here before the server is told.
    await told
    assert.deepEqual(await server.lines('/auth/logout'), ['POST /auth/logout 204'])
    isQuiet(page)
  })

  test(`docs/frameworks/${name}.md has the code of the app`, () => {
    const home = at(`examples/spa/${name}/`)
    const shown = files(name)
    const sources = ['Cargo.toml', ...readdirSync(join(home, 'src')).map((file) => `src/${file}`)]
    assert.deepEqual(Object.keys(shown).sort(), ['src/auth.rs'])
    for (const [file, code] of Object.entries(shown)) assert.equal(code, readFileSync(join(home, file), 'utf8'))
    // The other code on the page is in the app, too.
    const page = readFileSync(at(`docs/frameworks/${name}.md`), 'utf8')
    const parts = [...page.matchAll(/^```(?:rust|toml)\n(?!\/\/ src)([\s\S]*?)^```/gm)].map(([, code]) => code)
    const all = sources.map((file) => readFileSync(join(home, file), 'utf8')).join('\n')
    assert.ok(parts.length)
    // In the app it is indented further.
    const flush = (text) => text.replace(/^ +/gm, '')
    for (const part of parts) assert.ok(flush(all).includes(flush(part)), part)
  })
}
