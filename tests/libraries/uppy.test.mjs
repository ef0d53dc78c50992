// Uppy: a form and a resumable upload, with its page's code.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { json, refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const directory = mkdtempSync(join(tmpdir(), 'tokenkeep-uppy-'))
after(() => rmSync(directory, { recursive: true }))
const tus = new Server({ path: '/api/tus', datastore: new FileStore({ directory }) })
const log = []

const { server, it } = await library({
  code: `
    ${snippet('uppy')}
    /** Uploads this many files; returns their outcome, and the progress at the end. */
    export async function send(uppy, count) {
      const seen = []
      uppy.on('upload-progress', (file, { bytesUploaded, bytesTotal }) => bytesUploaded === bytesTotal && seen.push(file.name))
      for (let n = 0; n < count; n++) uppy.addFile({ name: n + '.txt', type: 'text/plain', data: new Blob([String(n).repeat(200_000)]) })
      const { successful, failed } = await uppy.upload()
      return { good: successful.length, bad: failed.length, seen: [...new Set(seen)].sort() }
    }
  `,
  routes: {
    '/api/upload': (arrived) => (server.who(arrived) ? json({ url: '/done' }) : refused()),
    '/api/tus/': {
      handle: async (request, response) => {
        response.on('finish', () => log.push(`${request.method} ${response.statusCode}`))
        if (server.who(request)) return tus.handle(request, response)
        for await (const _ of request);
        response.writeHead(401).end()
      },
    },
  },
})

it('XHRUpload: five files with an expired token cost one refresh, and arrive complete', async (tab) => {
  server.revoke()
  const { good, bad, seen } = await tab.evaluate(() => send(form, 5))
  assert.deepEqual([good, bad, seen.length], [5, 0, 5])
  const arrived = server.at('/api/upload')
  assert.equal(new Set(arrived.map(({ body }) => body)).size, 5)
  assert.equal(server.at('/auth/refresh').length, 1)
  assert.ok(arrived.length <= 10)
})

it('XHRUpload: a lasting refusal is not repeated', async (tab) => {
  server.route('/api/upload', () => refused())
  const { good, bad } = await tab.evaluate(() => send(form, 1))
  assert.deepEqual([good, bad, server.at('/api/upload').length, server.at('/auth/refresh').length], [0, 1, 2, 1])
})

it('Tus: three files with an expired token cost one refresh', async (tab) => {
  log.length = 0
  server.revoke()
  const { good, bad, seen } = await tab.evaluate(() => send(resumable, 3))
  assert.deepEqual([good, bad, seen.length], [3, 0, 3])
  assert.equal(server.at('/auth/refresh').length, 1)
  // tus itself has seen no refusal: after one it would have asked for its position with HEAD.
  assert.ok(!log.some((line) => line.startsWith('HEAD')), log.join())
})
