// A browser for a test file: of the engine that BROWSER names. It ends with the file.

import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { chromium, firefox } from 'playwright-core'
import { engine, home } from './engine.mjs'
import { clockOfHome } from './home.mjs'
import { Lack } from './lack.mjs'
import { WEBDRIVER } from './paths.mjs'
import { startWebKit } from './webkit.mjs'

// Bound every wait for the browser, in milliseconds. Its start is slow where the machine has much else to do.
const PATIENCE = 30_000
const START = 120_000

// By engine: the variable that names its program, and its start.
const ENGINES = {
  chrome: ['CHROMIUM', (executablePath, { args = [], ...options } = {}) => {
    const usual = JSON.parse(readFileSync(WEBDRIVER, 'utf8'))['goog:chromeOptions'].args
    return chromium.launch({ executablePath, args: [...usual, ...args], timeout: START, ...options })
  }],
  // Firefox as it is sold, by WebDriver BiDi.
  firefox: ['FIREFOX', (executablePath) => firefox.launch({ executablePath, channel: 'moz-firefox', timeout: START })],
  // The program is WebKitWebDriver.
  webkit: ['WEBKIT', (executablePath) => startWebKit(executablePath, START)],
}

/** `options` are added to what Playwright starts Chromium with. */
export async function startBrowser(options) {
  const [variable, start] = ENGINES[engine]
  const program = process.env[variable]
  if (!program) throw new Error(`set ${variable} to the program`)
  const browser = await start(program, options)
  after(() => browser.close())
  return browser
}

/** A profile of its own: cookies, storage and tabs that no other test sees. */
export class User {
  static async arrives(browser, origin, profile) {
    const user = new User()
    user.context = await browser.newContext(profile)
    user.context.setDefaultTimeout(PATIENCE)
    if (home) await user.context.addInitScript((home) => void (globalThis.homeOfTokens = home), home)
    user.origin = origin
    return user
  }

  /** For as long as a test lasts, also where it takes too long: what hangs must not go on beside the next one. */
  static async visits(t, browser, origin, profile) {
    const user = await User.arrives(browser, origin, profile)
    t.after(() => user.leaves())
    return user
  }

  /** A tab without a manager. `prepare` is given the page before it loads. */
  async blank(prepare) {
    const page = await this.context.newPage()
    if (home) Object.defineProperty(page, 'clock', { value: clockOfHome(page) })
    await prepare?.(page)
    await page.goto(`${this.origin}/`)
    await loaded(page)
    return page
  }

  /** A tab with a manager. */
  async tab(options, prepare) {
    if (home && options?.exposeToken) throw new Lack('a token that the page can see')
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
  // It would outlast the page.
  if (home === 'service-worker') await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.unregister())
  await page.reload()
  await loaded(page)
  await page.evaluate((options) => start(options), options)
}

/** The same some seconds later: a shared worker that has outlasted the page has ended by now, and another one begins. */
export async function reloadLater(page, options) {
  await page.reload()
  await loaded(page)
  await page.evaluate((options) => {
    globalThis.later = crypto.randomUUID()
    return start(options)
  }, options)
}

/** The page's module has run: modules are evaluated before the event `load`. */
async function loaded(page) {
  if (!(await page.evaluate(() => globalThis.isOpen))) throw new Error(`${page.url()} could not be opened`)
}
