// The example of docs/testing/msw.md: the package itself, with MSW in place of the network. In jsdom and happy-dom with Vitest, and in
// Chromium, where MSW is a service worker.

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { startBrowser, User } from '../e2e/support/browser.mjs'
import { serveFolder } from './support/folder.mjs'
import { installPackage } from './support/package.mjs'
import { passes, run } from './support/run.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
installPackage()

test('msw: in jsdom and happy-dom, and not in plain Node', async () => {
  await passes('msw', 'vitest/vitest.mjs', ['run', '--reporter=json'], { 'msw.test.ts': 2 * 4, 'node.test.ts': 1 })
})

test('msw: its service worker, in Chromium', async (t) => {
  // The effect of `npx msw init public`.
  mkdirSync(at('msw/page/public'), { recursive: true })
  copyFileSync(at('node_modules/msw/lib/mockServiceWorker.js'), at('msw/page/public/mockServiceWorker.js'))
  const built = await run('msw/page', 'vite/bin/vite.js', ['build', '--logLevel', 'warn'])
  assert.equal(built.code, 0, built.stderr)
  const { origin, seen } = await serveFolder('msw/page/dist')
  const user = await User.arrives(await startBrowser(), origin)
  t.after(() => user.leaves())
  const page = await user.context.newPage()
  await page.goto(`${origin}/`)

  await page.getByLabel('Password').fill('rabbit')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Wrong password.').waitFor()
  await page.getByLabel('Password').fill('wonderland')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Feed the cat').waitFor()

  const before = await page.evaluate(() => backend.refreshes)
  const statuses = await page.evaluate(async () => {
    backend.expire()
    const answers = await Promise.all([1, 2, 3].map(() => auth.fetch('/api/todos')))
    return answers.map(({ status }) => status)
  })
  assert.deepEqual(statuses, [200, 200, 200])
  assert.equal(await page.evaluate(() => backend.refreshes), before + 1)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  assert.deepEqual(seen, [], 'nothing came through to the server')
})
