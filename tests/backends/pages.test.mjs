// The documentation of back ends is true: each row of the table has a page, an existing preset, the versions that are installed here, and a
// test that runs the page's client code.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PACKAGE } from '../e2e/support/paths.mjs'
import { pinned, snippet, table } from './support/package.mjs'

const here = new URL('./', import.meta.url)
const rows = table()
const tests = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .map((name) => readFileSync(new URL(name, here), 'utf8'))
  .join()
  .replaceAll(/\s+/g, ' ')

test('the table names every page of docs/backends, and no other', () => {
  const pages = readdirSync(new URL('../../docs/backends/', here))
    .filter((name) => name !== 'README.md')
    .map((name) => name.replace('.md', ''))
  assert.deepEqual(rows.map(({ page }) => page).sort(), pages.sort())
})

for (const {
  page,
  presets: [name, entry],
  versions,
} of rows) {
  test(`${page}: its client code is run`, () => assert.ok(tests.includes(`, '${page}', {`)))

  test(`${page}: its client code uses the preset that is named, if any`, async () => {
    assert.equal(snippet(page).includes('tokenkeep/presets/'), Boolean(name))
    if (!name) return
    assert.ok(snippet(page).includes(`import { ${name} } from '${entry}'`))
    const { [name]: preset } = await import(`${PACKAGE}${entry.replace('tokenkeep/', '')}.js`)
    assert.equal(typeof preset, 'object')
  })

  test(`${page}: its versions are the installed ones`, () => {
    const installed = pinned()
    const wrong = Object.entries(versions).filter(([name, version]) => installed[name] !== version)
    assert.deepEqual(wrong, [])
  })
}

test('every preset is in the table', async () => {
  const named = rows.flatMap(({ presets }) => presets[0] ?? [])
  const modules = readdirSync(`${PACKAGE}presets`).filter((name) => name.endsWith('.js'))
  const exported = await Promise.all(modules.map((name) => import(`${PACKAGE}presets/${name}`)))
  assert.deepEqual(named.sort(), exported.flatMap((module) => Object.keys(module)).sort())
})
