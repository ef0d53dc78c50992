// Headless Chromium, controlled over its own protocol and a pipe. Test drivers listen to every request and every line
// of the console, which costs the page more than the calls that are measured here.
//
// Each measurement has its own page and profile: a fresh global scope in a fresh process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const WEBDRIVER = new URL('../../webdriver.json', import.meta.url)
// After so many milliseconds, a command counts as hanging.
const PATIENCE = 60_000

export async function startBrowser() {
  const program = process.env.CHROMIUM
  if (!program) throw new Error('set CHROMIUM to the program; `cargo xtask bench` does')
  const { args } = JSON.parse(readFileSync(WEBDRIVER, 'utf8'))['goog:chromeOptions']
  const profile = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'))
  const flags = [
    ...args,
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    '--js-flags=--expose-gc',
    'about:blank',
  ]
  const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const chrome = new Chrome(child.stdio[3], child.stdio[4])
  exited.then(() => chrome.fail(new Error('the browser has ended')))
  chrome.close = async () => {
    await chrome.send('Browser.close').catch(() => {})
    await exited
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  chrome.version = (await chrome.send('Browser.getVersion')).product
  return chrome
}

class Chrome {
  /** Set by `startBrowser`. */
  close
  version
  #last = 0
  #waiting = new Map()
  /** The events of a trace, and the function to call at its end. */
  #trace

  constructor(input, output) {
    this.input = input
    let rest = ''
    output.setEncoding('utf8').on('data', (data) => {
      const messages = (rest + data).split('\0')
      rest = messages.pop()
      for (const message of messages) this.#receive(JSON.parse(message))
    })
  }

  #receive({ id, method, params, result, error }) {
    if (method === 'Tracing.dataCollected') this.#trace.events.push(...params.value)
    if (method === 'Tracing.tracingComplete') this.#trace.ended()
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(error.message))
    else waiting?.resolve(result)
  }

  fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  send(method, params = {}, sessionId) {
    const id = ++this.#last
    this.input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  /** The events of these categories while `work` runs (Trace Event Format). */
  async trace(includedCategories, work) {
    const events = []
    const end = new Promise((ended) => (this.#trace = { events, ended }))
    await this.send('Tracing.start', { traceConfig: { includedCategories } })
    try {
      await work()
    } finally {
      await this.send('Tracing.end')
      await end
    }
    return events
  }

  /** Makes a profile, calls `work` with a function that opens pages in it, and deletes the profile. */
  async withProfile(work) {
    const { browserContextId } = await this.send('Target.createBrowserContext')
    try {
      return await work(async (url) => {
        const { targetId } = await this.send('Target.createTarget', { url, browserContextId })
        const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
        const page = new Page(this, sessionId)
        await page.send('Performance.enable', { timeDomain: 'threadTicks' })
        await page.loaded()
        return page
      })
    } finally {
      await this.send('Target.disposeBrowserContext', { browserContextId })
    }
  }

  /** The same with one page. */
  withPage(url, work) {
    return this.withProfile(async (open) => work(await open(url)))
  }
}

class Page {
  constructor(chrome, sessionId) {
    this.send = (method, params) => chrome.send(method, params, sessionId)
  }

  async loaded() {
    const until = Date.now() + PATIENCE
    while (!(await this.evaluate('!!globalThis.bench'))) {
      if (Date.now() > until) throw new Error('the page does not load')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async evaluate(expression) {
    const evaluated = this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    let timer
    const late = new Promise(
      (_, reject) => (timer = setTimeout(reject, PATIENCE, new Error('not settled after a minute'))),
    )
    const { result, exceptionDetails } = await Promise.race([evaluated, late]).finally(() => clearTimeout(timer))
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  /** `bench[name](...args)` in the page. */
  bench(name, ...args) {
    return this.evaluate(`bench.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
  }

  /** The same, and the milliseconds of CPU that the main thread spent on it. */
  async measure(name, ...args) {
    await this.evaluate('gc()')
    const before = await this.threadTime()
    const result = await this.bench(name, ...args)
    return { result, cpu: (await this.threadTime()) - before }
  }

  async threadTime() {
    const { metrics } = await this.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'ThreadTime').value * 1000
  }

  /** The bytes that JavaScript holds at the moment, including buffers. */
  async memory() {
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await this.send('Runtime.getHeapUsage')
    return usedSize + embedderHeapUsedSize + backingStorageSize
  }

  /** The bytes on the JavaScript heap after garbage collection. */
  async heap() {
    for (let i = 0; i < 3; i++) await this.send('HeapProfiler.collectGarbage')
    return (await this.send('Runtime.getHeapUsage')).usedSize
  }
}
