// Everything that can stand between a page and its refresh endpoint, and the consequences for the session, the callers, the events and the
// server (rule 8). A hundred callers come at once, and then another each second for a minute.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { countRefreshes } from './pages/deeds.js'
import { startAnew } from './pages/time.js'
import { startBrowser, User } from './support/browser.mjs'
import { engine, home } from './support/engine.mjs'
import { prepareHome, takeTimeOfHome } from './support/home.mjs'
import { check, Lack } from './support/lack.mjs'
import { cut, granted, json, refused, startStub } from './support/stub.mjs'

const stub = await startStub()
const foreign = await startStub({ '/auth/refresh': () => granted('new') })
const browser = await startBrowser()

const html = (status, headers) => ({
  status,
  type: 'text/html',
  headers,
  body: '<!doctype html><p>Please log in to the network.',
})
const inhalf = { type: 'application/json', body: '{"access_token":' }

/** A port on which nobody listens. */
async function deserted() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

// With a back-off in the middle of its range, and a caller each second: at 0, 1, 2, 4, 8, 16 and 32 seconds.
const BACK_OFF = 7

/** The refresh endpoint answers `answer`, or nobody serves `url`: an outage. `sent`: how many calls that costs in the minute. */
const OUTAGES = {
  'a name that nobody knows': { url: 'http://nobody..invalid/auth/refresh', code: 'network' },
  'a port where nobody listens': { url: `http://127.0.0.1:${await deserted()}/auth/refresh`, code: 'network' },
  'another origin without CORS': { url: `${foreign.origin}/auth/refresh`, code: 'network' },
  'a cut connection': { answer: cut, code: 'network', isCounted: false },
  'a body that breaks off': { answer: { ...inhalf, breaksOff: true }, code: 'network' },
  silence: { answer: new Promise(() => {}), code: 'timeout', sent: 5, isCounted: false, isSilent: true },
  '400 with HTML': { answer: html(400), code: 'bad-status', status: 400 },
  '401 with HTML': { answer: html(401), code: 'bad-status', status: 401 },
  '403 with HTML': { answer: html(403), code: 'bad-status', status: 403 },
  404: { answer: json({ error: 'not_found' }, { status: 404 }), code: 'bad-status', status: 404 },
  408: { answer: { status: 408 }, code: 'bad-status', status: 408, isCounted: false },
  425: { answer: { status: 425 }, code: 'bad-status', status: 425 },
  429: { answer: json({ error: 'slow_down' }, { status: 429 }), code: 'bad-status', status: 429 },
  '429 with Retry-After in seconds': {
    answer: { status: 429, headers: { 'retry-after': '25' } },
    code: 'bad-status',
    status: 429,
    sent: 3,
  },
  '429 with Retry-After as a date': {
    answer: () => ({ status: 429, headers: { date: date(0), 'retry-after': date(25_000) } }),
    code: 'bad-status',
    status: 429,
    sent: 3,
  },
  500: { answer: json({ error: 'server_error' }, { status: 500 }), code: 'bad-status', status: 500 },
  '502 with HTML': { answer: html(502), code: 'bad-status', status: 502 },
  503: { answer: { status: 503 }, code: 'bad-status', status: 503 },
  '503 with Retry-After': {
    answer: { status: 503, headers: { 'retry-after': '50' } },
    code: 'bad-status',
    status: 503,
    sent: 2,
  },
  504: { answer: html(504), code: 'bad-status', status: 504 },
  '200 with HTML, as a captive portal': { answer: html(200), code: 'bad-answer', status: 200 },
  'a redirect to a login page': {
    answer: { status: 302, headers: { location: '/login' } },
    code: 'bad-answer',
    status: 200,
  },
  'a redirect to a login page elsewhere': {
    answer: { status: 302, headers: { location: `${foreign.origin}/` } },
    code: 'network',
  },
  '200 with half a JSON object': { answer: inhalf, code: 'bad-answer', status: 200 },
  '200 without a body': { answer: { status: 200 }, code: 'bad-answer', status: 200 },
  204: { answer: { status: 204 }, code: 'bad-answer', status: 204 },
  '200 without a token': { answer: json({ ok: true }), code: 'bad-answer', status: 200 },
  '200 with an empty token': { answer: json({ access_token: '' }), code: 'bad-answer', status: 200 },
  '200 with a line break in the token': { answer: json({ access_token: 'a\r\nb' }), code: 'bad-answer', status: 200 },
}

const REFUSALS = {
  '400 with invalid_grant': json({ error: 'invalid_grant' }, { status: 400 }),
  '400 with other JSON': json({ error: 'invalid_request' }, { status: 400 }),
  '400 without a body': { status: 400 },
  '401 with JSON': json({ message: 'no' }, { status: 401 }),
  '401 without a body': { status: 401 },
  '403 with JSON': json({}, { status: 403 }),
  '422 with invalid_grant': json({ error: 'invalid_grant' }, { status: 422 }),
  '429 with invalid_grant': json({ error: 'invalid_grant' }, { status: 429, 'retry-after': '5' }),
}

const date = (ms) => new Date(Date.now() + ms).toUTCString()

const user = await User.arrives(browser, stub.origin)
const page = await user.blank()
await takeTimeOfHome(page)
await prepareHome(page, countRefreshes)

/** In the page: the minute. Returns all outcomes, equal ones once. */
async function storm({ options, isSilent }) {
  await auth.setTokens({ accessToken: 'old', expiresIn: 300 })
  events.length = 0
  await inHome('countAt', new URL(options.refresh.url, location.href).href)
  const all = Array.from({ length: 100 }, (_, n) => call(`/api/x?${n}`))
  await inHome('isAsked')
  if (isSilent) await time.pass(options.refresh.timeout)
  await Promise.all(all)
  const atOnce = { sent: await inHome('sent'), told: told(), status: auth.state.status }
  for (let second = isSilent ? options.refresh.timeout / 1000 + 1 : 1; second < 60; second++) {
    await time.pass(1000)
    all.push(call('/api/x'))
    if (!isSilent) await all.at(-1)
  }
  if (isSilent) await time.pass(options.refresh.timeout)
  const outcomes = new Set((await Promise.all(all)).map((outcome) => JSON.stringify(outcome)))
  return {
    atOnce,
    outcomes: Array.from(outcomes, (text) => JSON.parse(text)),
    sent: await inHome('sent'),
    told: told(),
    status: auth.state.status,
  }
}

async function minute(/** @type {any} */ { url = '/auth/refresh', answer, isSilent = false }) {
  stub.reset()
  Object.assign(stub.routes, {
    '/api/x': ({ headers }) => (headers.authorization === 'Bearer new' ? json({ ok: true }) : refused()),
    '/auth/refresh': typeof answer === 'function' ? answer : () => answer,
    '/login': () => html(200),
  })
  const options = { refresh: { url, timeout: 10_000 } }
  await page.evaluate(startAnew, options)
  return page.evaluate(storm, { options, isSilent })
}

for (const [name, row] of Object.entries(OUTAGES)) {
  const { code, status, sent = BACK_OFF } = row
  check(
    `a refresh that meets ${name} is "${code}": the session stays, and ${sent} calls are sent in a minute`,
    async () => {
      const seen = await minute(row)
      const error = { code, retryable: true, ...(status && { status }) }
      assert.deepEqual(seen.atOnce, { sent: 1, told: [`refresherror ${code}`], status: 'signed-in' })
      assert.deepEqual(seen.outcomes, [{ error }])
      assert.deepEqual(seen.told, Array(sent).fill(`refresherror ${code}`), 'each failure is told once')
      assert.equal(seen.sent, sent)
      assert.equal(seen.status, 'signed-in')
      // Browsers repeat a call by themselves if it was cut off, or got a 408, on a connection that was already open; and where time is
      // accelerated, a call may be aborted before it is sent.
      if (row.answer && row.isCounted !== false)
        assert.equal(stub.at('/auth/refresh').length, sent, 'calls that the server saw')
    },
  )
}

for (const [name, answer] of Object.entries(REFUSALS)) {
  check(`a refresh that meets ${name} ends the session, once: one call is sent in a minute`, async () => {
    const seen = await minute({ answer })
    const over = { sent: 1, told: ['signout rejected'], status: 'signed-out' }
    assert.deepEqual(seen, { atOnce: over, outcomes: [{ status: 401, body: { error: "the API's own" } }], ...over })
    assert.equal(stub.at('/auth/refresh').length, 1)
  })
}

check('an offline page keeps its session, and continues when it is online again', async (t) => {
  const followsPage = home === 'service-worker' ? engine === 'chrome' : home !== 'shared-worker'
  if (!followsPage) throw new Lack(`a ${home} that the driver can take off line`)
  stub.reset()
  Object.assign(stub.routes, { '/api/x': () => json({ ok: true }), '/auth/refresh': () => granted('new') })
  const user = await User.visits(t, browser, stub.origin)
  const page = await user.blank()
  await takeTimeOfHome(page)
  await page.evaluate(async () => {
    await start()
    await auth.setTokens({ accessToken: 'old', expiresIn: 300 })
    time.skip(300_000)
  })
  await user.context.setOffline(true)
  const error = { code: 'network', retryable: true }
  const calls = () => Promise.all(Array.from({ length: 100 }, (_, n) => call(`/api/x?${n}`)))
  assert.deepEqual(await page.evaluate(calls), Array(100).fill({ error }))
  await user.context.setOffline(false)
  await page.evaluate(() => time.pass(1000))
  assert.deepEqual(await page.evaluate(calls), Array(100).fill({ status: 200, body: { ok: true } }))
  assert.equal(stub.at('/auth/refresh').length, 1)
  assert.deepEqual(await page.evaluate(() => told()), ['refresherror network', 'refresh'])
})
