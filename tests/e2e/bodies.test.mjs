// The cost of bodies. faithful.test.mjs checks that they arrive unchanged twice, streams.test.mjs which cannot be sent again (rule 6).

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { startBrowser, User } from './support/browser.mjs'
import { startEcho } from './support/echo.mjs'
import { engine } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const MB = 1 << 20
const SIZE = 200 * MB

const echo = await startEcho()
const stub = await startStub({ '/auth/refresh': () => granted('new') })
const browser = await startBrowser()

/** A page of `origin` whose token is refused. */
async function open(t, origin) {
  const user = await User.visits(t, browser, origin)
  const page = await user.tab()
  await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
  return page
}

/** The peak memory of any browser process since `clear`. */
async function peaks(page) {
  const session = await page.context().newCDPSession(page)
  const root = await browser.newBrowserCDPSession()
  const { processInfo } = await root.send('SystemInfo.getProcessInfo')
  const files = (name) => processInfo.map(({ id }) => `/proc/${id}/${name}`)
  for (const file of files('clear_refs')) await writeFile(file, '5').catch(() => {})
  const heap = async () => (await session.send('Runtime.getHeapUsage')).usedSize
  const resident = async () => {
    const found = await Promise.all(files('status').map((file) => readFile(file, 'utf8').catch(() => '')))
    return Object.fromEntries(
      processInfo.map(({ id, type }, i) => [`${type} ${id}`, Number(/VmHWM:\s+(\d+)/.exec(found[i])?.[1] ?? 0) * 1024]),
    )
  }
  return {
    before: { heap: await heap(), resident: await resident() },
    after: async () => ({ heap: await heap(), resident: await resident() }),
  }
}

check('a file of 200 MB is sent twice, and no browser process keeps it in memory', async (t) => {
  if (engine !== 'chrome') throw new Lack('a way to choose a file and to measure a process (Chrome DevTools Protocol)')
  const folder = await mkdtemp(`${tmpdir()}/file-`)
  t.after(() => rm(folder, { recursive: true }))
  const path = `${folder}/big`
  const bytes = Buffer.alloc(SIZE, 'tokenkeep ')
  await writeFile(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const page = await open(t, echo.origin)
  await page.evaluate(() => document.body.append(Object.assign(document.createElement('input'), { type: 'file' })))
  await page.setInputFiles('input', path)
  const { before, after } = await peaks(page)
  const arrived = await page.evaluate(() =>
    call('/echo', { method: 'POST', body: document.querySelector('input').files[0] }),
  )
  const { heap, resident } = await after()
  assert.deepEqual([arrived.body.bytes, arrived.body.sha256], [SIZE, sha256])
  assert.deepEqual([arrived.body.refused.bytes, arrived.body.refused.sha256], [SIZE, sha256], 'the first time')
  const grown = Object.entries(resident)
    .map(([name, value]) => /** @type {[string, number]} */ ([name, value - before.resident[name]]))
    .sort(([, one], [, other]) => other - one)
  t.diagnostic(
    `JavaScript heap: ${((heap - before.heap) / MB).toFixed(1)} MB more; ${grown
      .slice(0, 3)
      .map(([name, more]) => `${name}: ${(more / MB).toFixed(1)} MB more at its highest`)
      .join('; ')}`,
  )
  assert.ok(heap - before.heap < 10 * MB, `the heap grew by ${heap - before.heap}`)
  for (const [name, more] of grown) assert.ok(more < SIZE / 2, `${name} grew by ${more}`)
})

// Whether streams can be uploaded, or why not.
const streams = (page) => page.evaluate(() => 'duplex' in Request.prototype)

check('a one-shot stream over HTTP/1.1 is refused as the platform refuses it', async (t) => {
  const page = await open(t, echo.origin)
  if (!(await streams(page))) throw new Lack('half-duplex request streams')
  const [ours, platform] = await page.evaluate(() =>
    Promise.all(
      [auth.fetch, fetch].map((fetch) => {
        const body = new ReadableStream({ start: (controller) => controller.close() })
        return outcome(fetch('/echo', { method: 'POST', body, duplex: 'half' }))
      }),
    ),
  )
  assert.deepEqual(ours, platform)
  assert.ok(ours.thrown)
})

check("thirty unread 401s of 3 MB each do not block the refresh's connection", async (t) => {
  stub.reset()
  stub.routes['/api/large'] = ({ headers }) =>
    headers.authorization === 'Bearer new' ? json({}) : { ...refused(), body: ' '.repeat(3 * MB) }
  const page = await open(t, stub.origin)
  const statuses = await page.evaluate(() =>
    Promise.all(Array.from({ length: 30 }, (_, n) => call(`/api/large?${n}`).then(({ status }) => status))),
  )
  assert.deepEqual(statuses, Array(30).fill(200))
  assert.equal(stub.at('/auth/refresh').length, 1)
})

// We do not read bodies this short, because in no engine do they occupy a connection.
check('nor do thirty of 4 kB', async (t) => {
  stub.reset()
  const short = { ...refused(), body: ' '.repeat(4096) }
  short.headers['content-length'] = short.body.length
  stub.routes['/api/short'] = ({ headers }) => (headers.authorization === 'Bearer new' ? json({}) : short)
  const page = await open(t, stub.origin)
  const statuses = await page.evaluate(() =>
    Promise.all(Array.from({ length: 30 }, (_, n) => call(`/api/short?${n}`).then(({ status }) => status))),
  )
  assert.deepEqual(statuses, Array(30).fill(200))
  assert.equal(stub.at('/auth/refresh').length, 1)
})
