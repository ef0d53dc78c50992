// A Chromium for a test file. It ends with the file.

import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { chromium } from 'playwright-core'
import { WEBDRIVER } from './paths.mjs'

// Bound every wait for the browser, in milliseconds. Its start is slow where the machine has much else to do.
const PATIENCE = 30_000
const START = 120_000

export async function startBrowser() {
  const executablePath = process.env.CHROMIUM
  if (!executablePath) throw new Error('set CHROMIUM to the program')
  const { args } = JSON.parse(readFileSync(WEBDRIVER, 'utf8'))['goog:chromeOptions']
  const chrome = await chromium.launch({ executablePath, args, timeout: START })
  after(() => chrome.close())
  return chrome
}

/** A profile of its own: cookies, storage and tabs that no other test sees. */
export class User {
  static async arrives(chrome, origin, profile) {
    const user = new User()
    user.context = await chrome.newContext(profile)
    user.context.setDefaultTimeout(PATIENCE)
    user.origin = origin
    return user
  }

  /** A tab without a manager. `prepare` is given the page before it loads. */
  async blank(prepare) {
    const page = await this.context.newPage()
    await prepare?.(page)
    await page.goto(`${this.origin}/`)
    await loaded(page)
    return page
  }

  /** A tab with a manager. */
  async tab(options, prepare) {
    const page = await this.blank(prepare)
    await page.evaluate((options) => start(options), options)
    return page
  }

  /** A tab in which somebody has signed in. */
  async signedIn(options, prepare) {
    const page = await this.tab(options, prepare)
    await page.evaluate(() => auth.login('/auth/login', credentials('alice')))
    return page
  }

  leaves() {
    return this.context.close()
  }
}

/** Loads a tab's page anew, and makes a manager as before. */
export async function reload(page, options) {
  await page.reload()
  await loaded(page)
  await page.evaluate((options) => start(options), options)
}

/** The page's module has run: modules are evaluated before the event `load`. */
async function loaded(page) {
  if (!(await page.evaluate(() => globalThis.isOpen))) throw new Error(`${page.url()} could not be opened`)
}
