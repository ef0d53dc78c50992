// The example of docs/testing/playwright.md: the package itself in Chromium, driven by Playwright's runner, whose routes answer.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveFolder } from './support/folder.mjs'
import { installPackage } from './support/package.mjs'
import { run } from './support/run.mjs'

const TESTS = 6

test('playwright: routes in place of the network', async () => {
  if (!process.env.CHROMIUM) throw new Error('set CHROMIUM to the program')
  installPackage()
  const built = await run('app', 'vite/bin/vite.js', ['build', '--logLevel', 'warn'])
  assert.equal(built.code, 0, built.stderr)
  const { origin, seen } = await serveFolder('app/dist')
  const { code, stdout, stderr } = await run('playwright', '@playwright/test/cli.js', ['test', '--reporter=json'], {
    env: { APP: origin },
  })
  const { stats, errors } = JSON.parse(stdout)
  const { expected, unexpected, flaky, skipped } = stats
  assert.deepEqual(
    { expected, unexpected, flaky, skipped, errors },
    { expected: TESTS, unexpected: 0, flaky: 0, skipped: 0, errors: [] },
    stdout + stderr,
  )
  assert.equal(code, 0, stderr)
  assert.deepEqual(seen, [], 'nothing came through to the server')
})
