// The runners run what docs/testing shows: each code block is one of their files, the overview's blocks are run here, and the versions are
// the installed ones.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { installPackage } from './support/package.mjs'
import { installed, run } from './support/run.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const read = (path) => readFileSync(at(path), 'utf8')
const DOCS = '../../docs/testing/'
const pages = readdirSync(at(DOCS))
  .map((name) => name.replace('.md', ''))
  .filter((name) => name !== 'README')
// The files of a folder that its page must show.
const SHOWN = /\.(test|spec|config|stories)\.\w+$/

installPackage()

/** The code blocks of a page, and the line before each. */
const blocks = (text) =>
  [...text.matchAll(/(.*)\n\n```(\w+)\n([\s\S]*?)```/g)].map(([, before, language, code]) => ({
    before,
    language,
    code,
  }))

test('each runner has a page, and each page a runner', () => {
  const runners = readdirSync(at('.'))
    .filter((name) => name.endsWith('.test.mjs') && name !== 'pages.test.mjs')
    .map((name) => name.replace('.test.mjs', ''))
  assert.deepEqual(pages.sort(), runners.sort())
  for (const page of pages) assert.ok(read(`${DOCS}README.md`).includes(`(${page}.md)`), page)
})

for (const page of pages) {
  test(`${page}: its code is what runs`, () => {
    const shown = blocks(read(`${DOCS}${page}.md`)).map(({ before, code }) => {
      const name = /^`(.+)`:$/.exec(before)?.[1]
      assert.ok(name, `a block has a name: ${code.slice(0, 60)}`)
      assert.equal(code, read(name.startsWith('app/') ? name : `${page}/${name}`), name)
      return name
    })
    const missing = readdirSync(at(page)).filter((name) => SHOWN.test(name) && !shown.includes(name))
    assert.deepEqual(missing, [])
  })

  test(`${page}: its versions are the installed ones`, () => {
    const [, said] = /^Verified with ([\s\S]*?)[.:](?= |\n)/m.exec(read(`${DOCS}${page}.md`))
    const versions = [...said.matchAll(/([@\w/-]+) (\d+\.\d+\.\d+)/g)].map(([, name, version]) => [name, version])
    assert.ok(versions.length)
    assert.deepEqual(
      versions,
      versions.map(([name]) => [name, installed(name)]),
    )
  })
}

test('the overview: its code runs', async () => {
  const examples = blocks(read(`${DOCS}README.md`))
  assert.equal(examples.length, 3)
  for (const { code } of examples) {
    // Placed here, where the package's name resolves.
    const file = at(`overview-${process.pid}.mjs`)
    writeFileSync(file, code)
    try {
      await promisify(execFile)(process.execPath, [file], { timeout: 20_000 })
    } finally {
      rmSync(file)
    }
  }
})

test('the overview: its table names every control, and no other', () => {
  const section = read(`${DOCS}README.md`)
    .split('## ')
    .find((part) => part.startsWith('What a test does'))
  const named = [...section.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name).filter((name) => name !== 'auth')
  const [, body] = /interface TestControls\b[^{]*\{([\s\S]*?)^\}/m.exec(read('../../pkg/src/testing.ts'))
  assert.deepEqual(named.sort(), [...body.matchAll(/^  (?:readonly )?(\w+)[:(]/gm)].map(([, name]) => name).sort())
})

test("the pages' links work", () => {
  const slug = (heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-')
  for (const page of ['README', ...pages]) {
    for (const [, target, anchor] of read(`${DOCS}${page}.md`).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const text = read(`${DOCS}${target || `${page}.md`}`)
      const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading))
      assert.ok(!anchor || anchors.includes(anchor), `${page} links to ${target}#${anchor}`)
    }
  }
})

test('all code compiles', async () => {
  const { code, stdout } = await run('.', 'typescript/bin/tsc', ['-p', 'tsconfig.json'])
  assert.equal(code, 0, stdout)
})

test('jest: the pattern for pnpm leaves the package to the transform, and nothing else', () => {
  const [, text] = /^With pnpm.*`'(.+)'`/m.exec(read(`${DOCS}jest.md`))
  const ignored = new RegExp(JSON.parse(`"${text}"`))
  for (const path of [
    '/node_modules/tokenkeep/dist/testing.js',
    '/node_modules/.pnpm/tokenkeep@0.1.0/node_modules/tokenkeep/dist/testing.js',
  ])
    assert.ok(!ignored.test(path), path)
  for (const path of ['/node_modules/react/index.js', '/node_modules/.pnpm/react@19.0.0/node_modules/react/index.js'])
    assert.ok(ignored.test(path), path)
})
