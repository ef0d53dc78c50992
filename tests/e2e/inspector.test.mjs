// The inspector in a real page: the documentation's code, the panel, what it shows and what it does not.

import assert from 'node:assert/strict'
import { startBrowser } from './support/browser.mjs'
import { documented } from './support/docs.mjs'
import { Lack } from './support/lack.mjs'
import { eachWithUser, jwt, startStrict } from './support/strict.mjs'
import { json, startStub } from './support/stub.mjs'

const server = await startStrict()
const partner = await startStub({ '/': () => json({}, { status: 401, 'access-control-allow-origin': '*' }) })
const browser = await startBrowser()

const it = eachWithUser(server, browser, () => {
  for (const [path, answer] of Object.entries(documented('sessions/inspector'))) server.route(path, answer)
})

const INSPECTOR = '/tokenkeep/session/inspector.js'

/** A tab with the documentation's manager, opened with a query. */
async function tab(user, query) {
  const page = await user.blank()
  await page.goto(`${server.origin}/${query}`)
  await page.evaluate(async () => {
    const { auth } = await import('/snippet.js')
    await watch(auth)
    globalThis.panel = () => document.querySelector('tokenkeep-inspector').shadowRoot
    /** The panel is drawn in the next frame. */
    globalThis.drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    globalThis.rows = async () => {
      await drawn()
      return [...panel().querySelectorAll('li')].map((row) =>
        [...row.querySelectorAll('b, code, p')].map(({ textContent }) => textContent),
      )
    }
  })
  return page
}

it('none of it is loaded unless wanted', async (user) => {
  const page = await tab(user, '')
  assert.equal(server.at(INSPECTOR).length, 0)
  assert.equal(await page.evaluate(() => document.querySelector('tokenkeep-inspector')), null)
})

it('the panel shows every decision and its reason, newest first, and no secret', async (user) => {
  const page = await tab(user, '?inspect')
  assert.equal(server.at(INSPECTOR).length, 1)
  await page.evaluate(() => signIn('alice'))
  server.revoke()
  assert.equal(
    (await page.evaluate(() => call('/api/one?secret=1', { headers: { 'x-secret': 's3cr3t' } }))).status,
    200,
  )
  await page.evaluate((url) => call(url), `${partner.origin}/orders?secret=1`)
  const rows = await page.evaluate(() => rows())
  const calls = rows.filter(([first]) => /\//.test(first))
  assert.deepEqual(
    calls.map(([address, end]) => [address, end]),
    [
      [`${partner.origin}/orders`, '401'],
      ['GET /api/one', '200'],
    ],
  )
  assert.match(
    calls[0][2],
    new RegExp(`^Sent without the token: ${partner.origin} is not in \`apis\`.* add it to \`apis\`\\.$`),
  )
  assert.equal(calls[1][2], 'Sent with the token. Refused (401), and sent again with a newer token.')
  assert.ok(rows.some(([type, text]) => type === 'refresh' && text === 'The server sent a new token.'))
  const text = await page.evaluate(() => panel().textContent)
  assert.match(text, /signed-in/)
  assert.match(text, /2 calls · 0 waited · 1 sent again · 1 without token · 1 refreshed/)
  for (const secret of ['secret', 's3cr3t', 'alice', jwt({ sub: 'alice' }).slice(0, 20)])
    assert.ok(!text.includes(secret), secret)
  assert.ok(server.at('/api/one').every(({ query }) => query.get('secret')))
})

it('a waiting call is listed while it waits, and the reason when the session has ended', async (user) => {
  const page = await tab(user, '?inspect')
  await page.evaluate(() => signIn('alice'))
  server.revoke()
  const refresh = server.hold('/auth/refresh')
  await page.evaluate(() => void (globalThis.waiting = call('/api/one')))
  await refresh.arrived()
  const [[address, end, text]] = await page.evaluate(() => rows())
  assert.deepEqual(
    [address, end, text],
    ['GET /api/one', 'pending', 'Sent with the token. Refused (401): waiting for a new token.'],
  )
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 400 }))
  refresh.release()
  await page.evaluate(() => waiting)
  await page.evaluate(() => outcome(auth.refresh()))
  const rows = await page.evaluate(() => rows())
  assert.ok(
    rows.some(
      ([type, text]) => type === 'signout' && text === 'The session ended: the server refused the refresh (400).',
    ),
    JSON.stringify(rows),
  )
})

it('it works by keyboard: Escape closes it and keeps it closed, it can show problems only, and clear everything', async (user) => {
  const page = await tab(user, '?inspect')
  await page.evaluate(() => signIn('alice'))
  await page.evaluate(() => call('/api/one'))
  await page.evaluate((url) => call(url), `${partner.origin}/orders`)
  const seen = await page.evaluate(async () => {
    await drawn()
    const shadow = panel()
    const shown = () => [...shadow.querySelectorAll('li')].filter((row) => row.offsetHeight).length
    const [only] = shadow.querySelectorAll('input')
    const all = shown()
    only.click()
    const problems = shown()
    only.click()
    const button = [...shadow.querySelectorAll('button')].find(({ textContent }) => textContent === 'Clear')
    const reachable = [...shadow.querySelectorAll('summary, input, button, ol')].every((part) => part.tabIndex === 0)
    button.focus()
    button.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, composed: true }))
    const closed = [shadow.querySelector('details').open, shadow.activeElement.localName]
    shadow.activeElement.click()
    button.click()
    await drawn()
    return { all, problems, reachable, closed, left: shown(), open: shadow.querySelector('details').open }
  })
  assert.ok(seen.all > 2, JSON.stringify(seen))
  assert.deepEqual(
    { ...seen, all: 0 },
    { all: 0, problems: 1, reachable: true, closed: [false, 'summary'], left: 0, open: true },
  )
})

it('a Content-Security-Policy without inline styles, and with Trusted Types, does not affect it', async (user) => {
  const policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; require-trusted-types-for 'script'"
  const html =
    '<!doctype html><meta charset="utf-8"><title>tokenkeep</title><link rel="icon" href="/none"><script type="module" src="/page.js"></script>'
  server.route('/strict', () => ({ type: 'text/html', body: html, headers: { 'content-security-policy': policy } }))
  const page = await user.blank()
  await page.goto(`${server.origin}/strict`)
  const seen = await page.evaluate(async () => {
    const violations = []
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => violations.push(violatedDirective))
    await start()
    const { inspect } = await import('/tokenkeep/session/inspector.js')
    globalThis.inspector = inspect(auth)
    await signIn('alice')
    await call('/api/one')
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    const panel = document.querySelector('tokenkeep-inspector')
    return {
      violations,
      position: getComputedStyle(panel).position,
      rows: panel.shadowRoot.querySelectorAll('li').length > 1,
    }
  })
  assert.deepEqual(seen, { violations: [], position: 'fixed', rows: true })
  assert.equal(await page.evaluate(() => (inspector.dispose(), document.querySelector('tokenkeep-inspector'))), null)
})

it('it can be put into an element of the page, beside another one', async (user) => {
  const page = await tab(user, '?inspect')
  const seen = await page.evaluate(async () => {
    const { inspect } = await import('tokenkeep/inspector')
    const place = document.body.appendChild(document.createElement('section'))
    const second = inspect(auth, { panel: place, console: false })
    await signIn('alice')
    await drawn()
    const [first, own] = document.querySelectorAll('tokenkeep-inspector')
    const counts = [first, own].map(({ shadowRoot }) => shadowRoot.querySelectorAll('li').length)
    const seen = {
      inside: own.parentNode === place,
      position: getComputedStyle(own).position,
      same: counts[0] === counts[1] && counts[0] > 0,
    }
    second.dispose()
    return { ...seen, left: document.querySelectorAll('tokenkeep-inspector').length }
  })
  assert.deepEqual(seen, { inside: true, position: 'static', same: true, left: 1 })
})

it('in a worker it has no panel, and still reports', async (user) => {
  server.route('/inspected.js', () => ({
    type: 'text/javascript',
    body: `
      import { createTokenManager } from '/tokenkeep/index.js'
      import { inspect } from '/tokenkeep/session/inspector.js'
      const auth = createTokenManager({ refresh: '/auth/refresh' })
      const inspector = inspect(auth, { console: false })
      await auth.fetch('/api/one')
      await 0
      setTimeout(() => postMessage(inspector.entries.filter(({ kind }) => kind === 'call').map(({ url, status }) => [url, status])))
    `,
  }))
  const page = await user.blank()
  const told = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/inspected.js', { type: 'module' })
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = ({ message }) => reject(new Error(message))
      }),
  )
  assert.deepEqual(told, [[`${server.origin}/api/one`, 401]])
})

for (const colorScheme of ['light', 'dark']) {
  it(`all its texts are readable in the ${colorScheme} scheme`, async (user) => {
    const page = await tab(user, '?inspect')
    if (!page.emulateMedia) throw new Lack("a colour scheme of the test's choice")
    await page.emulateMedia({ colorScheme })
    await page.evaluate(() => signIn('alice'))
    await page.evaluate(() => call('/api/one'))
    await page.evaluate((url) => call(url), `${partner.origin}/orders`)
    const { isDark, ratios } = await page.evaluate(async () => {
      await drawn()
      const rgb = (color) =>
        color
          .match(/[\d.]+/g)
          .slice(0, 3)
          .map(Number)
      const light = (color) => {
        const [r, g, b] = rgb(color).map((part) =>
          (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
        )
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const back = light(getComputedStyle(panel().querySelector('details')).backgroundColor)
      const texts = [...panel().querySelectorAll('summary *, .bar *, li *')].filter(
        ({ children, textContent }) => !children.length && textContent,
      )
      const ratios = texts.map((text) => {
        const [high, low] = [back, light(getComputedStyle(text).color)].sort((one, other) => other - one)
        return (high + 0.05) / (low + 0.05)
      })
      return { isDark: back < 0.2, ratios }
    })
    if (isDark !== (colorScheme === 'dark')) throw new Lack("a colour scheme of the test's choice")
    assert.ok(ratios.length > 8)
    // WCAG 2.2, 1.4.3.
    assert.ok(Math.min(...ratios) >= 4.5, String(Math.min(...ratios)))
  })
}
