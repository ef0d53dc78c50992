// The site names everything: every page, and every entry of the package. And it cannot be built with a broken link.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { below, entries, read, root, site } from './support/site.mjs'

const docs = join(root, 'docs')
const sources = below(docs, '.md').filter((path) => !path.startsWith('site/'))
const titled = sources.map((path) => ({
  path,
  title: /^# (.+)$/m.exec(readFileSync(join(docs, path), 'utf8'))[1].replaceAll('`', ''),
}))
const files = new Set([...below(site, ''), ''])
const links = (text) =>
  [...text.replace(/^(`{3,})[^]*?^\1$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))

test('llms.txt has the required form: a title, a summary, sections of links', () => {
  assert.match(read('llms.txt'), /^# tokenkeep\n\n> \S.+\n(\n## .+\n\n(- \[.+\]\(.+\)(: .+)?\n)+)+$/)
})

test('llms.txt names every page by its title, and every entry', () => {
  const text = read('llms.txt')
  const missing = titled.filter(
    ({ path, title }) =>
      path !== 'README.md' && !text.includes(`- [${title}](${path.replace('README.md', 'index.md')})`),
  )
  assert.deepEqual(missing, [])
  assert.deepEqual(
    entries().filter(({ name }) => !text.includes(`- [${name}](api/`)),
    [],
  )
})

test('the targets of llms.txt exist, and so do the links of those texts', () => {
  const pages = ['llms.txt', 'index.md', ...links(read('llms.txt')).filter((link) => link.endsWith('.md'))]
  const broken = pages.flatMap((page) =>
    links(read(page))
      .filter((link) => !files.has(join(dirname(page), link.split('#')[0])) && !link.startsWith('#'))
      .map((link) => `${page}: ${link}`),
  )
  assert.deepEqual(broken, [])
})

test('each page has the path of its source', () => {
  assert.deepEqual(
    sources
      .map((path) => path.replace(/README\.md$/, 'index').replace(/\.md$/, ''))
      .filter((path) => !files.has(`${path}.html`)),
    [],
  )
})

test('the API reference names every entry and its exports', () => {
  const list = read('api.html')
  for (const { name, source } of entries()) {
    assert.ok(list.includes(`<a href="api/${name}.html">${name}</a>`), name)
    // A long name may be broken between its words.
    const page = read(`api/${name}.html`).replaceAll('<wbr/>', '')
    const declared = readFileSync(join(root, source), 'utf8').matchAll(
      /^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm,
    )
    for (const [, exported] of declared) assert.ok(page.includes(`>${exported}<`), `${name}: ${exported}`)
  }
})

test('a page with a broken link fails the build', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
  t.after(() => rmSync(scratch, { recursive: true }))
  const copy = join(scratch, 'docs/site')
  mkdirSync(copy, { recursive: true })
  cpSync(join(docs, 'site/pages.mjs'), join(copy, 'pages.mjs'))
  symlinkSync(join(docs, 'site/node_modules'), join(copy, 'node_modules'))
  const { findPages } = await import(pathToFileURL(join(copy, 'pages.mjs')).href)
  writeFileSync(join(scratch, 'docs/README.md'), '# Front\n\n[There](there.md).\n')
  assert.throws(findPages, /docs\/README\.md: docs\/there\.md/)
  writeFileSync(join(scratch, 'docs/there.md'), '# There\n')
  assert.deepEqual(
    findPages().sections.map(({ title, pages }) => [title, pages.map(({ title }) => title)]),
    [['More', ['There']]],
  )
})

test('a site with a link to a missing place on a page fails the build', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
  t.after(() => rmSync(scratch, { recursive: true }))
  const { check } = await import('../../docs/site/check.mjs')
  writeFileSync(join(scratch, 'one.html'), '<a href="two.html#there">')
  writeFileSync(join(scratch, 'two.html'), '<p id="here">')
  assert.throws(() => check(scratch), /one\.html: two\.html#there/)
  writeFileSync(join(scratch, 'two.html'), '<p id="there">')
  check(scratch)
})
