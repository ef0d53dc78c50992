// A browser for a test file, with the engine that BROWSER names. It ends with the file.

import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { chromium, firefox } from 'playwright-core'
import { engine, home } from './engine.mjs'
import { clockOfHome } from './home.mjs'
import { Lack } from './lack.mjs'
import { WEBDRIVER } from './paths.mjs'
import { startWebKit } from './webkit.mjs'

// Limits of every wait for the browser, in milliseconds. Its start is slow on a busy machine.
const PATIENCE = 30_000
const START = 120_000

// For each engine: the variable that names its program, and the function that starts it.
const ENGINES = {
  chrome: [
    'CHROMIUM',
    (executablePath, { args = [], ...options } = {}) => {
      const usual = JSON.parse(readFileSync(WEBDRIVER, 'utf8'))['goog:chromeOptions'].args
      return chromium.launch({ executablePath, args: [...usual, ...args], timeout: START, ...options })
    },
  ],
  // An unmodified Firefox, driven by WebDriver BiDi.
  firefox: ['FIREFOX', (executablePath) => firefox.launch({ executablePath, channel: 'moz-firefox', timeout: START })],
  // The program is WebKitWebDriver.
  webkit: ['WEBKIT', (executablePath) => startWebKit(executablePath, START)],
}

/**
 * Chromium's headless shell, where there is one: the same engine without a window, and far quicker. `hasWindow`: Chromium itself, for what
 * the shell lacks. The other options are added to Playwright's for starting Chromium.
 *
 * @param {any} [options]
 */
export async function startBrowser({ hasWindow, ...options } = {}) {
  const [variable, start] = ENGINES[engine]
  const shell = engine === 'chrome' && !hasWindow && process.env.CHROMIUM_SHELL
  const program = shell || process.env[variable]
  if (!program) throw new Error(`set ${variable} to the program`)
  const browser = await start(program, options)
  after(() => browser.close())
  return browser
}

/** A separate profile: no other test sees its cookies, storage and tabs. */
export class User {
  /** @type {import('playwright-core').BrowserContext} */
  context
  origin

  static async arrives(browser, origin, profile) {
    const user = new User()
    user.context = await browser.newContext(profile)
    user.context.setDefaultTimeout(PATIENCE)
    if (home) await user.context.addInitScript((home) => void (globalThis.homeOfTokens = home), home)
    user.origin = origin
    return user
  }

  /**
   * Opens a profile for one test. It is closed after the test, even after a timeout: a hanging test must not run beside
   * the next one.
   */
  static async visits(t, browser, origin, profile) {
    const user = await User.arrives(browser, origin, profile)
    t.after(() => user.leaves())
    return user
  }

  /** A tab without a manager. `prepare` gets the page before it loads. */
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

  /** A signed-in tab. */
  async signedIn(options, prepare) {
    const page = await this.tab(options, prepare)
    await page.evaluate(() => auth.login('/auth/login', credentials('alice')))
    return page
  }

  leaves() {
    return this.context.close()
  }
}

/** Reloads a tab's page, and makes a manager as before. */
export async function reload(page, options) {
  // The worker would outlive the page.
  if (home === 'service-worker')
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.unregister())
  await page.reload()
  await loaded(page)
  await page.evaluate((options) => start(options), options)
}

/** Reloads as if some seconds had passed: a worker that outlived the page has ended, and another one starts. */
export async function reloadLater(page, options) {
  await page.reload()
  await loaded(page)
  await page.evaluate((options) => {
    globalThis.later = crypto.randomUUID()
    return start(options)
  }, options)
}

/** Resolves when the page's module has run: modules are evaluated before the event `load`. */
async function loaded(page) {
  if (!(await page.evaluate(() => globalThis.isOpen))) throw new Error(`${page.url()} could not be opened`)
}
