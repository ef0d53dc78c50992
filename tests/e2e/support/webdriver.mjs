// WebDriver (W3C), as far as it is needed here: a program that drives a browser, and one session at a time with it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Bounds each command, in milliseconds: the longest loads a page.
const PATIENCE = 30_000

/** Starts a driver that takes `--port`. */
export async function startDriver(program, start) {
  const port = await freePort()
  const child = spawn(program, [`--port=${port}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  // The browser has it, too: were it the tests' own, a browser that is left over would keep their runner waiting for more.
  child.stderr.pipe(process.stderr)
  child.stderr.unref()
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

  /** The driver says nothing when it listens: it has to be asked. */
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
    const { ok, value } = await fetch(this.address + path, { method, body: method === 'POST' ? JSON.stringify(body) : undefined, signal }).then(
      async (response) => ({ ok: response.ok, ...(await response.json()) }),
    ).catch((cause) => {
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

  /** It begins with a window. */
  constructor(driver, path, window) {
    this.driver = driver
    this.path = path
    this.#window = window
  }

  /** One command after the other: which window is meant is a state of the session. */
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

  /** A new window, in the sight of its user. */
  open() {
    return this.#alone(async () => {
      await this.#choose(this.#window ?? (await this.#send('GET', '/window/handles'))[0])
      return (await this.#send('POST', '/window/new', { type: 'window' })).handle
    })
  }

  /** A command to a window. */
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
