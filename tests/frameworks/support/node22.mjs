// Tools that need a newer Node than the tests: they run in the one that npm has installed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newEnoughNode } from '../../e2e/support/node.mjs'

const PACKAGES = fileURLToPath(new URL('../node_modules/', import.meta.url))
/** Required by Angular's command line. */
export const NEEDED = ['22.22.3', '24.15.0', '26.0.0']

function start(words, cwd) {
  const child = spawn(newEnoughNode(PACKAGES, ...NEEDED), words, {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NG_CLI_ANALYTICS: 'false', NO_COLOR: '1' },
  })
  const said = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => said.push(line))
  return { child, said, exited: once(child, 'exit') }
}

/** Runs a program to its end. */
export async function run(words, cwd) {
  const { said, exited } = start(words, cwd)
  const [status] = await exited
  if (status !== 0) throw new Error(`${words.join(' ')} has failed:\n${said.join('\n')}`)
}

/** Starts a program that prints where it listens, and ends with its input: with the test file. Returns the origin. */
export async function serve(words, cwd) {
  const { child, said, exited } = start(words, cwd)
  after(async () => {
    child.stdin.end()
    await exited
  })
  const heard = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on(
      'line',
      (line) => /^listening on /.test(line) && resolve(line.slice(13)),
    )
  })
  const origin = await Promise.race([heard, exited])
  if (typeof origin !== 'string') throw new Error(`${words.join(' ')} has not started:\n${said.join('\n')}`)
  return origin
}
