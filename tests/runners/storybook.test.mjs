// The example of docs/testing/storybook.md: builds a Storybook, and checks its stories in Chromium.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startBrowser, User } from '../e2e/support/browser.mjs'
import { serveFolder } from './support/folder.mjs'
import { installPackage } from './support/package.mjs'
import { run } from './support/run.mjs'

// Each story, and what it must show after it has been played.
const STORIES = {
  'signed-in': ['Hello Alice', 'Feed the cat', 'Sign out'],
  'signed-out': ['Password', 'Sign in'],
  'not-known-yet': ['One moment…'],
  outage: ["The server can't be reached.", 'Try again'],
  'wrong-password': ['Sign in', 'Wrong password.'],
  'session-is-over': ['Sign in', 'Your session is over.'],
  'module-of-the-app': ['Hello Bob', 'Call Alice'],
}

installPackage()
const built = await run('storybook', 'storybook/dist/bin/dispatcher.js', ['build', '-o', 'dist', '--quiet'])
assert.equal(built.code, 0, built.stdout + built.stderr)
const { origin } = await serveFolder('storybook/dist')
const browser = await startBrowser()

test('storybook: every story is checked', () => {
  const { entries } = JSON.parse(readFileSync(new URL('storybook/dist/index.json', import.meta.url), 'utf8'))
  assert.deepEqual(
    Object.keys(entries).sort(),
    Object.keys(STORIES)
      .map((name) => `account--${name}`)
      .sort(),
  )
})

for (const [name, texts] of Object.entries(STORIES)) {
  test(`storybook: ${name}`, async (t) => {
    const user = await User.visits(t, browser, origin)
    const page = await user.context.newPage()
    const errors = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(`${origin}/iframe.html?id=account--${name}&viewMode=story`)
    const story = page.locator('#storybook-root')
    for (const text of texts) await story.getByText(text, { exact: false }).first().waitFor()
    // An error in the story's play function.
    assert.equal(
      await page.locator('.sb-show-errordisplay').count(),
      0,
      await page.locator('#error-message').textContent(),
    )
    assert.deepEqual(errors, [])
  })
}
