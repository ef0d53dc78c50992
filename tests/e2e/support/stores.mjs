// Stores for the reference server. They end with the test file.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after } from 'node:test'

const REDIS = 'redis-server'

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'tokenkeep-store-'))
  after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await once(server.close(), 'close')
  return port
}

async function redis() {
  if (spawnSync(REDIS, ['--version']).error) return undefined
  const port = await freePort()
  const words = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder()].map(String)
  const child = spawn(REDIS, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  after(async () => {
    child.kill()
    await exited
  })
  const said = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    if (line.includes('Ready to accept connections')) return `redis://127.0.0.1:${port}`
  }
  throw new Error(`Redis has not started: ${said.join('\n')}`)
}

/** Starts each store, and returns its URL, or `undefined` if this machine does not have its program. */
export const STORES = {
  SQLite: async () => `sqlite:${join(folder(), 'auth.db')}`,
  Redis: redis,
}
