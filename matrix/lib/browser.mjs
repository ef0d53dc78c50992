// Chromium, and a visit to a page that tests the package.

import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const WEBDRIVER = new URL('../../webdriver.json', import.meta.url)
// The longest visit, in milliseconds. A dev server compiles during the first visit.
const PATIENCE = 60_000

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM
  if (!executablePath) throw new Error('set CHROMIUM to the program; `cargo xtask matrix` does')
  const { args } = JSON.parse(readFileSync(WEBDRIVER, 'utf8'))['goog:chromeOptions']
  return chromium.launch({ executablePath, args, timeout: PATIENCE })
}

const WELL = JSON.stringify({ names: ['alice', 'alice', 'alice'], status: 'signed-in' })

/**
 * Opens the page in a new profile. Returns what is wrong with its outcome, if anything. Throws if there is no outcome.
 */
export async function visit(chrome, server, wants) {
  const counts = server.begin()
  const context = await chrome.newContext()
  const page = await context.newPage()
  const said = []
  page.on('pageerror', (error) => said.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()))
  page.setDefaultTimeout(PATIENCE)
  try {
    await page.goto(`${server.origin}/`)
    const outcome = await (await page.waitForFunction(() => globalThis.outcome)).jsonValue()
    if (outcome !== WELL) return `the page says ${outcome}`
    await page.waitForFunction((text) => document.querySelector('#said')?.textContent === text, WELL)
    const { wasm, ...calls } = counts
    const arrived = JSON.stringify(calls)
    if (arrived !== wants.calls) return `the server counts ${arrived}`
    if (wasm > 0 !== wants.file) return wants.file ? 'no .wasm was asked for' : 'a .wasm was asked for'
    return undefined
  } catch (error) {
    throw new Error([...said, String(error).split('\n')[0]].join('; '), { cause: error })
  } finally {
    await context.close()
  }
}

/** One sign-in, three refused calls, one refresh, and three answered calls. */
export const CALLS = JSON.stringify({ logins: 1, refused: 3, refreshes: 1, reuses: 0, answered: 3 })
