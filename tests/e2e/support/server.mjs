// The reference server as a separate process, and its switches. It ends with the test file.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { engine } from './engine.mjs'
import { PACKAGE, PAGES } from './paths.mjs'

/** `www` is the folder of the page; `flags` are added to the server's command line. */
export async function startServer({ www = PAGES, flags = [] } = {}) {
  const program = process.env.TOKENKEEP_SERVER
  if (!program) throw new Error('set TOKENKEEP_SERVER to the program tokenkeep-server')
  // WebKit does not keep a Secure cookie of http://127.0.0.1.
  const plain = engine === 'webkit' ? ['--plain-cookie'] : []
  const child = spawn(program, ['--port', '0', '--demo', '--www', www, '--package', PACKAGE, ...plain, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = []
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line))
  const exited = once(child, 'exit')
  after(async () => {
    child.kill()
    await exited
  })
  const begun = once(createInterface({ input: child.stdout }), 'line')
  const [line] = await Promise.race([begun, exited.then(() => ['it ended'])])
  const origin = /^listening on (http:\/\/\S+)$/.exec(line)?.[1]
  if (!origin) throw new Error(`the server has not started: ${[line, ...log].join('\n')}`)
  return new Server(origin)
}

class Server {
  constructor(origin) {
    this.origin = origin
  }

  async #demo(method, path, body) {
    const response = await fetch(`${this.origin}/demo/${path}`, { method, body })
    const text = await response.text()
    assert.ok(response.ok, `${method} /demo/${path}: ${response.status} ${text}`)
    return text && JSON.parse(text)
  }

  /** Turns all faults off, and empties counters and log. */
  reset = () => this.#demo('POST', 'reset')

  /** Revokes all access tokens. */
  revoke = () => this.#demo('POST', 'revoke')

  /** Moves the server's own clock forward: earlier nonces expire. */
  forward = (seconds) => this.#demo('POST', `forward?seconds=${seconds}`)

  /** Ends all sessions. */
  end = () => this.#demo('POST', 'end')

  /** Sets the faults. Targets that are not named work normally. */
  faults = (faults = {}) => this.#demo('PUT', 'faults', JSON.stringify(faults))

  /** Waits until this many answers are held. */
  held = (of, count = 1) => this.#demo('GET', `held?of=${of}&count=${count}`)

  release = (of) => this.#demo('POST', `release?of=${of}`)

  counters = () => this.#demo('GET', 'counters')

  /** The requests to the API and to the auth endpoints, or to those under `path`. */
  async log(path = '/a') {
    return (await this.#demo('GET', 'log')).filter((entry) => entry.path.startsWith(path))
  }

  /** The same in short form: `POST /auth/refresh 200`. */
  async lines(path) {
    return (await this.log(path)).map(({ method, path, status }) => `${method} ${path} ${status}`)
  }

  /** The number of refresh calls that arrived, whatever their outcome. */
  async refreshes() {
    return (await this.log('/auth/refresh')).length
  }
}
