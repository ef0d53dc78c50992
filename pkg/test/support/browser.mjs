// A Chromium for a test file: CHROMIUM names the program, otherwise it is found on the PATH.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after } from 'node:test'
import { chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
// The limit of every wait in a page, in milliseconds.
const PATIENCE = 20_000

/** Opens pages, each in its own profile. The browser ends with the test file. */
export async function browser() {
  const chrome = await chromium.launch({ executablePath: program(), args: QUIET, timeout: PATIENCE })
  after(() => chrome.close())
  return {
    async open(url) {
      const context = await chrome.newContext()
      const page = await context.newPage()
      page.setDefaultTimeout(PATIENCE)
      /** What the page's scripts threw. @type {string[]} */
      const errors = []
      page.on('pageerror', (error) => errors.push(String(error)))
      await page.goto(url)
      return Object.assign(page, { errors })
    },
  }
}

function program() {
  const found =
    process.env.CHROMIUM ??
    (process.env.PATH ?? '')
      .split(delimiter)
      .flatMap((directory) => NAMES.map((name) => join(directory, name)))
      .find(existsSync)
  if (!found) throw new Error('no Chromium: set CHROMIUM to the program')
  return found
}
