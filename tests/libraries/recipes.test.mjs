// The documentation of libraries that call by `fetch` is true: each page is run with the version that it names, and is in the table.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { installed } from './support/docs.mjs'

const here = new URL('./', import.meta.url)
const docs = new URL('../../docs/libraries/', here)
const read = (name, folder = docs) => readFileSync(new URL(name, folder), 'utf8')

const tests = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .map((name) => read(name, here))
  .join()
const pages = readdirSync(docs)
  .map((name) => ({ page: name.replace('.md', ''), text: read(name) }))
  .map(({ page, text }) => ({ page, text, versions: [...text.matchAll(/^Verified with (\S+) (\S+)\.$/gm)] }))
  .filter(({ versions }) => versions.length)

for (const { page, text, versions } of pages) {
  test(`${page}: its code is run, with the version that is named`, () => {
    assert.ok(tests.includes(`recipe('${page}', {`))
    for (const [, name, version] of versions) assert.equal(installed(name), version)
  })

  test(`${page}: it imports what it says to install`, () => {
    const [, line] = /^npm install (.*)$/m.exec(text)
    const [, code] = /^## The page\n\n```jsx?\n([\s\S]*?)^```/m.exec(text)
    const imported = [...code.matchAll(/ from '((?:@[^/']+\/)?[^/'.]+)/g)].map((match) => match[1])
    assert.deepEqual(
      imported.filter((name) => !line.split(' ').includes(name)),
      [],
    )
  })
}

test('the table has every page, and no other', () => {
  const [calling] = read('README.md').split('\n## What is not `fetch`')
  const rows = [...calling.matchAll(/^\| \[[^\]]+\]\(([\w-]+)\.md\)/gm)].map((match) => match[1])
  assert.deepEqual(rows, [...rows].sort())
  assert.deepEqual(rows, pages.map(({ page }) => page).sort())
})

test('the front page links to every page', () => {
  const linked = [...read('README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map((match) => match[1])
  assert.deepEqual(
    readdirSync(docs).filter((name) => name !== 'README.md' && !linked.includes(name)),
    [],
  )
})
