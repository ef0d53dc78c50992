// WebKitGTK by WebDriver, with the parts of Playwright's interface that the tests use; Playwright drives the other engines. Functions that
// WebDriver cannot provide throw a `Lack`.

import { Lack } from './lack.mjs'
import { installClock, milliseconds } from '../pages/clock.js'
import { startDisplay } from './display.mjs'
import { startDriver } from './webdriver.mjs'

// The limit of a wait for the browser, in milliseconds.
const PATIENCE = 30_000
// How long a window may occupy the session while it waits for a promise.
const TURN = 30

export async function startWebKit(executablePath, start) {
  const display = await startDisplay()
  const startAnew = () => startDriver(executablePath, display.name, start)
  return new Browser(await startAnew(), startAnew, display)
}

class Browser {
  #profile

  constructor(driver, startAnew, display) {
    this.driver = driver
    this.startAnew = startAnew
    this.display = display
  }

  /** A new profile. The driver can have one at a time. */
  async newContext(profile = {}) {
    for (const name of Object.keys(profile)) throw new Lack(`WebDriver has no profile with ${name}`)
    if (this.#profile) throw new Lack('a second profile at the same time')
    // A time-out would use the page's timers, which the tests control.
    const session = await this.driver.session({ timeouts: { script: null } })
    this.#profile = new Context(session, () => this.#end(session))
    return this.#profile
  }

  /** A driver that cannot end a session would not start another one. */
  async #end(session) {
    try {
      await session.end()
    } catch (error) {
      await this.driver.close()
      this.driver = await this.startAnew()
      throw error
    } finally {
      this.#profile = undefined
    }
  }

  async close() {
    // Without its driver the browser would keep running.
    await this.#profile?.close()
    await this.driver.close()
    await this.display.close()
  }
}

/** Runs in the page: whether it is the page at `url`, or the one that its server redirects to. */
const isLoaded = (url) => {
  const [{ redirectCount } = /** @type {any} */ ({})] = performance.getEntriesByType('navigation')
  return (location.href === url || redirectCount > 0) && document.readyState === 'complete'
}

class Context {
  #scripts = []
  #pages = []
  #hasPage = false

  constructor(session, close) {
    this.session = session
    this.close = close
  }

  setDefaultTimeout() {}

  async addInitScript(script, argument) {
    this.#scripts.push([script, argument])
  }

  /** The session starts with a window, which the first page gets, even if two are requested at once. */
  async newPage() {
    const isFirst = !this.#hasPage
    this.#hasPage = true
    return this.#page(isFirst ? (await this.session.windows())[0] : await this.session.open())
  }

  /** Without a window the session would end: in the place of the last one, the next page's is opened. */
  async closes({ window }) {
    if ((await this.session.windows()).length === 1) {
      await this.session.open()
      this.#hasPage = false
    }
    await this.session.close(window)
  }

  #page(window) {
    const page = new Page(this, window, [...this.#scripts])
    this.#pages.push(page)
    return page
  }

  /** The page that a click opens. */
  async waitForEvent(type) {
    if (type !== 'page') throw new Lack(`WebDriver tells nothing of ${type}`)
    const found = async () =>
      (await this.session.windows()).find((window) => !this.#pages.some((page) => page.window === window))
    return this.#page(await soon(found, 'a page was opened'))
  }

  pages() {
    return [...this.#pages]
  }

  async cookies() {
    throw new Lack("WebDriver shows the cookies of the page's own path alone")
  }
}

class Page {
  #scripts
  #evaluations = 0
  #url

  constructor(context, window, scripts) {
    this.own = context
    this.window = window
    this.#scripts = scripts
    this.clock = {
      install: () => this.addInitScript(installClock),
      fastForward: (time) => this.evaluate((by) => clock.fastForward(by), milliseconds(time)),
    }
  }

  context() {
    return this.own
  }

  #send(method, path, body) {
    return this.own.session.to(this.window, method, path, body)
  }

  /** Runs before the page's own scripts at each load, but only in the tests' own page. */
  async addInitScript(script, argument) {
    this.#scripts.push([script, argument])
  }

  /** WebDriver cannot run anything before a page's scripts: they are loaded explicitly, from a page without scripts. */
  async goto(url) {
    if (!this.#scripts.length) return this.#open('/url', url)
    await this.#open('/url', new URL('/bare.html', url).href)
    this.#url = url
    for (const [script, argument] of this.#scripts) await this.evaluate(script, argument)
    await this.evaluate(async (url) => {
      history.replaceState(null, '', url)
      await import('/page.js')
    }, url)
  }

  async reload() {
    await (this.#scripts.length ? this.goto(this.#url) : this.#open('/refresh', this.#url))
  }

  url() {
    return this.#url
  }

  /** Waits for a page that another page has opened. A pattern is `**` and the end of a URL. */
  async waitForURL(pattern) {
    const end = pattern.slice(2)
    await soon(
      () => this.evaluate((end) => location.href.endsWith(end) && document.readyState === 'complete', end),
      `the page was at ${pattern}`,
    )
  }

  /** The driver may answer before the page's modules have run. */
  async #open(command, url) {
    this.#url = url
    await this.#send('POST', command, { url })
    await soon(() => this.evaluate(isLoaded, url), `${url} was loaded`)
  }

  close() {
    return this.own.closes(this)
  }

  /** Runs a function or an expression in the page, and awaits its promise. */
  async evaluate(work, argument) {
    const id = ++this.#evaluations
    const text = encode(argument)
    // The caller's code comes first: it sees none of these names.
    let answer = await this.#execute(
      `(${begin})(${typeof work === 'function' ? work : `() => (${work}\n)`}, arguments, ${encode}, ${decode})`,
      [id, TURN, text],
    )
    while (!('value' in answer || 'error' in answer)) answer = await this.#execute(`(${go})(arguments)`, [id, TURN])
    if ('error' in answer) throw new Error(`page.evaluate: ${answer.error}`)
    return decode(answer.value)
  }

  #execute(script, args) {
    return this.#send('POST', '/execute/async', { script, args })
  }

  locator(selector, /** @type {{ hasText?: string | RegExp }} */ { hasText = '' } = {}) {
    const text = hasText instanceof RegExp ? hasText.source : hasText.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return {
      waitFor: () =>
        soon(
          () =>
            this.evaluate(
              ([selector, text]) =>
                [...document.querySelectorAll(selector)].some(({ textContent }) =>
                  new RegExp(text, 'i').test(textContent),
                ),
              [selector, text],
            ),
          `${selector} is there with ${text}`,
        ),
    }
  }

  async click(selector) {
    await this.#send('POST', `/element/${await this.#element(selector)}/click`)
  }

  async fill(selector, text) {
    const element = await this.#element(selector)
    await this.#send('POST', `/element/${element}/clear`)
    await this.#send('POST', `/element/${element}/value`, { text })
  }

  async check(selector, wanted = true) {
    const is = await this.evaluate((selector) => document.querySelector(selector).checked, selector)
    if (is !== wanted) await this.click(selector)
  }

  uncheck(selector) {
    return this.check(selector, false)
  }

  async #element(value) {
    return Object.values(await this.#send('POST', '/element', { using: 'css selector', value }))[0]
  }

  on(type) {
    throw new Lack(`WebDriver tells nothing of ${type}`)
  }

  waitForResponse() {
    throw new Lack('WebDriver tells nothing of responses')
  }

  waitForRequest() {
    throw new Lack('WebDriver tells nothing of requests')
  }

  route() {
    throw new Lack('WebDriver cannot answer in the place of a server')
  }
}

/** Begins an evaluation in the page. One that takes longer than its turn is asked for again. */
async function begin(work, [id, turn, text, done], encode, decode) {
  // The tests may control the page's own timers.
  const { ends, later } = (globalThis[Symbol.for('evaluations')] ??= { ends: new Map(), later: setTimeout })
  const ended = (async () => work(decode(text)))().then(
    (value) => ({ value: encode(value) }),
    (error) => ({ error: error instanceof Error ? `${error}\n${error.stack}` : String(error) }),
  )
  ends.set(id, ended)
  done((await Promise.race([ended, new Promise((resolve) => later(resolve, turn))])) ?? {})
}

/** Continues an evaluation in the page. */
async function go([id, turn, done]) {
  const { ends, later } = globalThis[Symbol.for('evaluations')]
  done((await Promise.race([ends.get(id), new Promise((resolve) => later(resolve, turn))])) ?? {})
}

/** Polls until the test holds. */
async function soon(test, what) {
  for (const end = Date.now() + PATIENCE; ;) {
    const found = await test()
    if (found) return found
    if (Date.now() > end) throw new Error(`it never was so that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, TURN))
  }
}

/** JSON that preserves values it cannot express. */
function encode(value) {
  return JSON.stringify(value, (_, value) => {
    if (value === undefined || typeof value === 'function') return { '': 'undefined' }
    return typeof value === 'number' && !Number.isFinite(value) ? { '': String(value) } : value
  })
}

function decode(text) {
  const back = (value) => {
    if (typeof value !== 'object' || value === null) return value
    if ('' in value) return value[''] === 'undefined' ? undefined : Number(value[''])
    for (const key of Object.keys(value)) value[key] = back(value[key])
    return value
  }
  return back(JSON.parse(text))
}
