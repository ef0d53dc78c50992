// The documentation of APIs other than `fetch` is true: a test runs the code of each page, with the version that the page names.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { installed, snippets } from './support/docs.mjs'

const PAGES = [
  'axios',
  'event-source',
  'hls',
  'maplibre',
  'pdf-js',
  'signalr',
  'socket-io',
  'tus',
  'uppy',
  'video-js',
  'websocket',
  'xhr',
]

const here = new URL('./', import.meta.url)
const tests = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .map((name) => readFileSync(new URL(name, here), 'utf8'))
  .join()

for (const page of PAGES) {
  test(`${page}: its code is run`, () => {
    const titles = snippets(page).map(({ title }) => title)
    assert.ok(titles.includes('The page'))
    assert.equal(new Set(titles).size, titles.length, 'one block below each heading')
    for (const title of titles) {
      const named = title === 'The page' ? `'${page}')` : `'${page}', '${title}'`
      assert.ok(tests.includes(named) || tests.includes(named.replace(')', ',')), `${page}: ${title}`)
    }
  })

  test(`${page}: its versions are the installed ones`, () => {
    const text = readFileSync(new URL(`../../docs/libraries/${page}.md`, here), 'utf8')
    const [, said = ''] = /Run with ([^\n]*(?:\n[^\n]+)*?)\.\n/.exec(text) ?? []
    const named = [...said.matchAll(/(@?[\w./-]+) (\d+\.\d+\.\d+)/g)]
    for (const [, name, version] of named) assert.equal(installed(name), version, name)
    if (!['axios', 'event-source', 'websocket', 'xhr'].includes(page)) assert.ok(named.length, 'it names one')
  })
}
