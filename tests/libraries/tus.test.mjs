// tus: a file in pieces, with its page's code, against the tus server.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { json } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const directory = mkdtempSync(join(tmpdir(), 'tokenkeep-tus-'))
after(() => rmSync(directory, { recursive: true }))
const tus = new Server({ path: '/api/tus', datastore: new FileStore({ directory }) })
/** The requests: method and status. `patched` is called after each accepted piece. */
const log = []
let patched

const { server, it } = await library({
  code: `
    ${snippet('tus')}
    export const send = (size, options) => new Promise((resolve) => {
      const seen = { before: 0, largest: 0 }
      globalThis.upload1 = upload(new File(['0123456789'.repeat(size / 10)], 'a.txt'), {
        chunkSize: 200_000,
        ...options,
        onProgress: (sent) => (seen.largest = Math.max(seen.largest, sent)),
        onSuccess: () => resolve(seen),
        onError: (error) => resolve({ error: error.causingError?.code ?? error.code ?? String(error), status: error.originalResponse?.getStatus() }),
      })
      upload1.start()
    })
  `,
  routes: {
    '/api/tus/': {
      handle: async (request, response) => {
        response.on('finish', () => {
          log.push(`${request.method} ${response.statusCode}`)
          if (request.method === 'PATCH' && response.statusCode === 204) patched?.()
        })
        if (server.who(request)) return tus.handle(request, response)
        for await (const _ of request);
        response.writeHead(401).end()
      },
    },
  },
})

const stored = () =>
  readdirSync(directory)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => readFileSync(join(directory, name), 'latin1'))

function begin() {
  log.length = 0
  patched = undefined
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
}

it('tus: a token that expires on the way costs one refresh, and sends no piece twice', async (tab) => {
  begin()
  let pieces = 0
  patched = () => ++pieces === 2 && server.revoke()
  const { largest } = await tab.evaluate(() => send(1_000_000))
  assert.equal(largest, 1_000_000)
  assert.deepEqual(stored(), ['0123456789'.repeat(100_000)])
  // The refused piece, a question for the server's position, and the rest.
  assert.deepEqual(log, [
    'POST 201',
    'PATCH 204',
    'PATCH 204',
    'PATCH 401',
    'HEAD 200',
    'PATCH 204',
    'PATCH 204',
    'PATCH 204',
  ])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('tus: three uploads with an expired token cost one refresh', async (tab) => {
  begin()
  server.revoke()
  await tab.evaluate(() => Promise.all([10, 20, 30].map((size) => send(size))))
  assert.deepEqual(
    stored()
      .map((text) => text.length)
      .sort(),
    [10, 20, 30],
  )
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('tus: when the session is over the upload ends with the reason', async (tab) => {
  begin()
  server.revoke()
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
  const { error } = await tab.evaluate(() => send(10, { retryDelays: [0, 0] }))
  assert.equal(error, 'signed-out')
  assert.deepEqual(log, ['POST 401'])
})
