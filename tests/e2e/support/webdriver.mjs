// The parts of WebDriver (W3C) that the tests need: a program that drives a browser, with one session at a time.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

// The time limit of each command, in milliseconds: the longest command loads a page.
const PATIENCE = 30_000

/** Starts a driver that takes `--port`, with its browser on `display`. */
export async function startDriver(program, display, start) {
  const port = await freePort()
  const child = spawn(program, [`--port=${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DISPLAY: display },
  })
  // The browser inherits it: if it were the tests' own, a leftover browser would keep their runner waiting for more.
  const stderr = /** @type {import('node:net').Socket} */ (child.stderr)
  stderr.pipe(process.stderr)
  stderr.unref()
  const failed = once(child, 'exit').then(() => {
    throw new Error(`${program} has ended`)
  })
  failed.catch(() => {})
  const driver = new Driver(child, `http://127.0.0.1:${port}`)
  await Promise.race([driver.ready(start), failed])
  return driver
}

class Driver {
  constructor(child, address) {
    this.child = child
    this.address = address
  }

  /** The driver does not announce that it listens: it has to be polled. */
  async ready(start) {
    for (const end = Date.now() + start; ;) {
      try {
        return await this.send('GET', '/status')
      } catch (error) {
        if (Date.now() > end) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  async send(method, path, body = {}) {
    const signal = AbortSignal.timeout(PATIENCE)
    const { ok, value } = await fetch(this.address + path, {
      method,
      body: method === 'POST' ? JSON.stringify(body) : undefined,
      signal,
    })
      .then(async (response) => ({ ok: response.ok, ...(await response.json()) }))
      .catch((cause) => {
        throw new Error(`${method} ${path}: the driver does not answer`, { cause })
      })
    if (ok) return value
    throw Object.assign(new Error(`${method} ${path}: ${value.error}: ${value.message}`), { code: value.error })
  }

  async session(capabilities) {
    const { sessionId } = await this.send('POST', '/session', { capabilities: { alwaysMatch: capabilities } })
    const path = `/session/${sessionId}`
    const [window] = await this.send('GET', `${path}/window/handles`)
    return new Session(this, path, window)
  }

  async close() {
    const exited = once(this.child, 'exit')
    this.child.kill()
    await exited
  }
}

class Session {
  #last = Promise.resolve()
  #window

  /** A session starts with a window. */
  constructor(driver, path, window) {
    this.driver = driver
    this.path = path
    this.#window = window
  }

  /** Runs one command after the other, because the current window is a state of the session. */
  #alone(work) {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  #send(method, path, body) {
    return this.driver.send(method, this.path + path, body)
  }

  windows() {
    return this.#alone(() => this.#send('GET', '/window/handles'))
  }

  /** A new, visible window. */
  open() {
    return this.#alone(async () => {
      await this.#choose(this.#window ?? (await this.#send('GET', '/window/handles'))[0])
      return (await this.#send('POST', '/window/new', { type: 'window' })).handle
    })
  }

  /** Sends a command to a window. */
  to(window, method, path, body) {
    return this.#alone(async () => {
      await this.#choose(window)
      return this.#send(method, path, body)
    })
  }

  close(window) {
    return this.#alone(async () => {
      await this.#choose(window)
      this.#window = undefined
      await this.#send('DELETE', '/window')
    })
  }

  async #choose(window) {
    if (this.#window !== window) await this.#send('POST', '/window', { handle: window })
    this.#window = window
  }

  end() {
    return this.#alone(() => this.#send('DELETE', ''))
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
