// A back end as a separate process. It ends when the test ends for any reason: it reads the other end of a pipe.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newEnoughNode } from '../../e2e/support/node.mjs'

const SERVERS = fileURLToPath(new URL('../servers/', import.meta.url))
const PACKAGES = fileURLToPath(new URL('../node_modules/', import.meta.url))
// Required by oidc-provider.
const NODE = '22.0.0'

function interpreter(file) {
  if (!file.endsWith('.py')) return newEnoughNode(PACKAGES, NODE)
  if (!process.env.TOKENKEEP_PYTHON)
    throw new Error('set TOKENKEEP_PYTHON to the interpreter that has requirements.txt')
  return process.env.TOKENKEEP_PYTHON
}

/** Starts `servers/<file>`. It prints where it listens in its first line: one origin, or more. */
export async function startBackEnd(file, ...words) {
  const child = spawn(interpreter(file), [SERVERS + file, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  const said = []
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  const exited = once(child, 'exit')
  after(async () => {
    child.stdin.end()
    await exited
  })
  const begun = once(createInterface({ input: child.stdout }), 'line')
  const [line] = await Promise.race([begun, exited.then(() => ['it ended'])])
  const origins = /^listening on (http:.+)$/.exec(line)?.[1].split(' ')
  if (!origins) throw new Error(`${file} has not started: ${[line, ...said].join('\n')}`)
  return new BackEnd(origins)
}

class BackEnd {
  constructor(origins) {
    this.origins = origins
  }

  async #control(name) {
    const response = await fetch(`${this.origins[0]}/test/${name}`, { method: 'POST' })
    assert.ok(response.ok, `/test/${name}: ${response.status}`)
    return response.json()
  }

  /** Empties the record of calls. */
  reset = () => this.#control('reset')

  /** Moves the server's clock forward, past the life of every access token. */
  expire = () => this.forward(61)

  forward = (seconds) => this.#control(`forward?seconds=${seconds}`)

  /** Ends all sessions. */
  end = () => this.#control('end')

  /** A server's other controls: see its last lines. */
  tell = (name) => this.#control(name)

  /** The calls that arrived, in order: `{ method, path, status, token }`, where `token` is the start of its digest. */
  log = () => this.#control('log')
}
