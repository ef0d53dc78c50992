// Child processes. Each has its own process group, so that a server ends together with all processes that it has
// started.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

// Turns off colours, telemetry, update notices and questions of the tools.
const QUIET = {
  CI: '1',
  NO_COLOR: '1',
  NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
  BROWSER: 'none',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  PARCEL_WORKERS: '1',
}
const groups = new Set()

const signal = (group, name) => {
  try {
    process.kill(-group, name)
  } catch {
    // The process has ended.
  }
}
process.on('exit', () => groups.forEach((group) => signal(group, 'SIGKILL')))
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => process.exit(130))

/** The Node for the tools. Most tools need a newer one than tokenkeep. */
const node = fileURLToPath(new URL(`../node_modules/node-linux-${process.arch}/bin/node`, import.meta.url))
const found = existsSync(node) ? node : process.execPath
const PATH = [dirname(found), process.env.PATH].join(delimiter)

/** Keeps the input open, because some dev servers end without one. */
function start(words, cwd, env) {
  const child = spawn(words[0], words.slice(1), {
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...QUIET, PATH, ...env },
  })
  groups.add(child.pid)
  const started = { said: '', code: undefined, stop: () => (signal(child.pid, 'SIGKILL'), started.ended) }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (started.said += text))
  started.ended = new Promise((resolve) => {
    child.on('error', (error) => (started.said += error))
    child.on('close', (code) => {
      groups.delete(child.pid)
      resolve((started.code = code ?? 1))
    })
  })
  return started
}

/** Runs a command to its end. If it fails, throws with its output. */
export async function run(words, cwd, /** @type {{ env?: object, minutes?: number }} */ { env, minutes = 8 } = {}) {
  const started = start(words, cwd, env)
  const timer = setTimeout(() => {
    started.said += `\nnot done after ${minutes} minutes`
    started.stop()
  }, minutes * 60_000)
  const code = await started.ended
  clearTimeout(timer)
  if (code) throw new Failed(`\`${words.join(' ')}\` failed`, started.said)
  return started.said
}

/**
 * Starts a server with a port in the variable `PORT`. Resolves when the server answers there, or has printed `ready`.
 */
export async function serve(
  words,
  cwd,
  /** @type {{ ready?: string, minutes?: number }} */ { ready, minutes = 3 } = {},
) {
  const port = await free()
  const started = start(words, cwd, { PORT: String(port) })
  const until = Date.now() + minutes * 60_000
  while (!(ready ? started.said.includes(ready) : await answers(port))) {
    if (started.code === undefined && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      continue
    }
    await started.stop()
    throw new Failed(`\`${words.join(' ')}\` does not serve`, started.said)
  }
  return { port, stop: started.stop, said: () => started.said }
}

/** The error of a failed command, with its output. */
export class Failed extends Error {
  constructor(message, said) {
    super(message)
    this.said = said
  }
}

const free = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Whether the server responds at all, with any status. */
const answers = (port) =>
  fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) }).then(
    () => true,
    () => false,
  )
