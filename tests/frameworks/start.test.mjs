// Follows docs/start.md from an empty folder: its back end and its Vite, with the app of docs/frameworks/react.md.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createServer as createVite } from 'vite'
import { startBrowser, User } from '../e2e/support/browser.mjs'
import { write } from './support/page.mjs'
import { isQuiet, open, says, signIn } from './support/site.mjs'

const PAGE = readFileSync(new URL('../../docs/start.md', import.meta.url), 'utf8')
// The time limit of the test, in milliseconds: Vite bundles the app's imports at the first visit.
const TIMEOUT = 120_000

const app = write('react', { name: 'start' })
const port = await free()
for (const [, name, code] of PAGE.matchAll(/^```js\n\/\/ ([\w.]+)\n([\s\S]*?)^```/gm)) {
  writeFileSync(join(app, name), code.replace('127.0.0.1:8000', `127.0.0.1:${port}`))
}

async function free() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

/** Returns a function for the back end's output since the last call. */
async function startBackend() {
  const child = spawn(process.execPath, ['backend.mjs'], {
    cwd: app,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => child.kill())
  let said = []
  child.stdout.on('data', (text) => said.push(...String(text).trim().split('\n')))
  await once(child.stdout, 'data')
  return () => said.splice(0)
}

test('from an empty folder: sign in, let a token end, reload, sign out', { timeout: TIMEOUT }, async (t) => {
  const hear = await startBackend()
  const vite = await createVite({
    root: app,
    configFile: join(app, 'vite.config.ts'),
    logLevel: 'warn',
    server: { port: 0, host: '127.0.0.1', hmr: false },
  })
  t.after(() => vite.close())
  await vite.listen()
  const user = await User.visits(t, await startBrowser(), `http://127.0.0.1:${vite.httpServer.address().port}`)
  const page = await open(user)

  await page.getByLabel('Name').waitFor()
  await signIn(page, ['alice', 'rabbit'])
  await page.locator('[role=alert]', { hasText: 'wrong' }).waitFor()
  await signIn(page)
  await says(page, 'signed in as alice')
  await page.click('text=Who am I?')
  await page.locator('pre', { hasText: 'alice' }).waitFor()
  assert.deepEqual(hear(), [
    'The back end is ready.',
    'POST /auth/refresh 401',
    'POST /auth/login 401',
    'POST /auth/login 200',
    'GET /api/me 200',
  ])

  await page.clock.install()
  await page.clock.fastForward(31_000)
  await Promise.all([page.waitForResponse('**/api/me'), page.click('text=Who am I?')])
  assert.deepEqual(hear(), ['POST /auth/refresh 200', 'GET /api/me 200'])

  await page.reload()
  await says(page, 'signed in as alice')
  await page.click('text=Sign out')
  await page.getByLabel('Name').waitFor()
  await page.reload()
  await page.getByLabel('Name').waitFor()
  assert.equal(hear().at(-1), 'POST /auth/refresh 401')
  isQuiet(page)
})
