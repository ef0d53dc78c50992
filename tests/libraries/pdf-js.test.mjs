// pdf.js, with its page's code: a document whose pages load as they are turned, while the token expires.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { json, refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const PAGES = 4

/** A document whose pages are far from their contents: between them are bytes that nobody reads. */
function pdf() {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${PAGES} /Kids [${Array.from({ length: PAGES }, (_, n) => `${4 + 4 * n} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  const stream = (text) => `<< /Length ${text.length} >>\nstream\n${text}\nendstream`
  for (let n = 0; n < PAGES; n++) {
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents ${6 + 4 * n} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
    )
    objects.push(
      stream('x'.repeat(150_000)),
      stream(`BT /F1 24 Tf 20 100 Td (page ${n + 1}) Tj ET`),
      stream('x'.repeat(150_000)),
    )
  }
  let text = '%PDF-1.4\n'
  const places = objects.map((object, n) => {
    const place = text.length
    text += `${n + 1} 0 obj\n${object}\nendobj\n`
    return place
  })
  const table = text.length
  const row = (place) => `${String(place).padStart(10, '0')} 00000 n \n`
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.map(row).join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}

const DOCUMENT = pdf()

const { server, it } = await library({
  code: `
    ${snippet('pdf-js')}
    export const text = async (pdf, n) => (await (await pdf.getPage(n)).getTextContent()).items.map(({ str }) => str).join('')
  `,
  routes: {
    '/pdf.worker.mjs': () => ({
      type: 'text/javascript',
      body: readFileSync(new URL('./node_modules/pdfjs-dist/build/pdf.worker.mjs', import.meta.url)),
    }),
    '/api/document.pdf': (arrived) => {
      if (!server.who(arrived)) return refused()
      const [, begin, end] = /^bytes=(\d+)-(\d+)$/.exec(arrived.headers.range ?? '') ?? []
      if (begin === undefined)
        return { type: 'application/pdf', body: DOCUMENT, headers: { 'content-length': DOCUMENT.length } }
      return {
        status: 206,
        type: 'application/pdf',
        body: DOCUMENT.subarray(Number(begin), Number(end) + 1),
        headers: { 'content-range': `bytes ${begin}-${end}/${DOCUMENT.length}` },
      }
    },
  },
})

it("pdf.js: each page turned after the token's end costs one refresh, and loads", async (tab) => {
  assert.equal(
    await tab.evaluate(async () => {
      globalThis.pdf = await openByRange('/api/document.pdf', () => {})
      return text(pdf, 1)
    }),
    'page 1',
  )
  for (let n = 2; n <= PAGES; n++) {
    server.revoke()
    assert.equal(await tab.evaluate((n) => text(pdf, n), n), `page ${n}`)
    assert.equal(server.at('/auth/refresh').length, n - 1)
  }
  const got = server.at('/api/document.pdf')
  assert.ok(got.filter(({ method }) => method === 'GET').every(({ headers }) => headers.range))
})

it('pdf.js: loads a document as a whole', async (tab) => {
  server.revoke()
  assert.equal(await tab.evaluate(async () => text(await openWhole('/api/document.pdf'), 4)), 'page 4')
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('pdf.js: the app is told when the session is over', async (tab) => {
  await tab.evaluate(
    () =>
      void (globalThis.lost = new Promise(
        (resolve) => (globalThis.opened = openByRange('/api/document.pdf', ({ message }) => resolve(message))),
      )),
  )
  await tab.evaluate(async () => void (globalThis.pdf = await opened))
  server.revoke()
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
  assert.equal(
    await tab.evaluate(() => {
      void text(pdf, 3).catch(() => {})
      return lost
    }),
    '401 /api/document.pdf',
  )
  assert.deepEqual(await tab.evaluate(() => events), ['signout rejected'])
})
