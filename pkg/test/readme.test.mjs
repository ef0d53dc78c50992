// README and the reference pages are true: their TypeScript compiles against the built package, their tables name every option, member,
// event and error code, and nothing else, and their links work. The rules are numbered in one place.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const pkg = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(join(pkg, '..', path), 'utf8')
const PAGES = [
  'README.md',
  ...readdirSync(join(pkg, '../docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(migration.)?[^/\\]*\.md$/.test(name))
    .map((name) => `docs/${name}`),
  'docs/backends/README.md',
]
const types = readFileSync(join(pkg, 'src/types.ts'), 'utf8')
const errors = readFileSync(join(pkg, 'src/error.ts'), 'utf8')

// The names that the examples assume: a form, a function of the app, a bundler's way to name a file.
const AROUND = `
declare const form: HTMLFormElement
declare function showLogin(reason: string): void
declare module '*?url' { const url: string; export default url }
declare module '*?worker' { const Made: new () => Worker; export default Made }
`

// The app's module with which the pages begin.
const AUTH = `
import { createTokenManager } from 'tokenkeep'
export const auth = createTokenManager({ refresh: '/auth/refresh' })
`

function section(page, title) {
  const found = read(page)
    .split(/^## /m)
    .find((part) => part.startsWith(title))
  assert.ok(found, `${page} has a section "${title}"`)
  return found
}

/** The names in backticks in the first cells of a section's table. */
function firstCells(page, title) {
  const cells = [...section(page, title).matchAll(/^\| (`[^|]*) \|/gm)].map((row) => row[1])
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((name) => name[1]))
}

/** The members of an interface in types.ts. */
function members(name) {
  const body = types.match(new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm'))[1]
  return [...body.matchAll(/^  (?:readonly )?([a-zA-Z]+)\??[:(]/gm)].map((member) => member[1])
}

describe('The pages for contributors', () => {
  const OTHERS = ['.git', 'node_modules', 'target', 'dist', 'generated']
  const walk = (folder) =>
    readdirSync(join(pkg, '..', folder), { withFileTypes: true })
      .filter(({ name }) => !OTHERS.includes(name))
      .flatMap((entry) => {
        const path = `${folder}/${entry.name}`
        return entry.isDirectory() ? [path, ...walk(path)] : [path]
      })
  const paths = walk('.')

  for (const page of ['docs/architecture.md', 'CONTRIBUTING.md'])
    it(`${page} names files and folders that are there`, () => {
      const named = [...read(page).matchAll(/`([\w.*/-]+)`/g)]
        .map(([, name]) => name)
        .filter(
          (name) => (name.includes('/') && !name.includes('node_modules')) || /\.(rs|m?[jt]s|css|toml|md)$/.test(name),
        )
      assert.ok(named.length > 20)
      const isThere = (name) => {
        const pattern = new RegExp(`/${name.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
        return paths.some((path) => pattern.test(path))
      }
      assert.deepEqual(
        named.filter((name) => !isThere(name)),
        [],
      )
    })

  it('the map of CONTRIBUTING.md has every folder with a subject of its own', () => {
    const named = section('CONTRIBUTING.md', 'Where things are')
    const isNamed = (folder) => named.includes(`\`${folder}\``) || named.includes(`\`${folder}/`)
    const folders = (parent) =>
      readdirSync(join(pkg, '..', parent), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !OTHERS.includes(entry.name))
        .map(({ name }) => join(parent, name))
    const all = ['.', 'src', 'pkg', 'pkg/src', 'tests'].flatMap(folders)
    const whole = ['src', 'pkg', 'tests']
    assert.deepEqual(
      all.filter((folder) => !isNamed(folder) && !whole.includes(folder)),
      [],
    )
  })

  it('have the rules that the code cites', () => {
    const rules = [...read('docs/architecture.md').matchAll(/^### Rule (\d+): /gm)].map(([, number]) => +number)
    const cited = paths
      .filter((path) => /\.(rs|m?[jt]s|md)$/.test(path))
      .flatMap((path) => [...read(path).matchAll(/\brules? (\d+)(?: (?:to|and|before rule) (\d+))?\b/gi)])
      .flatMap(([, first, second]) => (second ? [+first, +second] : [+first]))
    assert.ok(cited.length > 40)
    assert.deepEqual(
      cited.filter((number) => !rules.includes(number)),
      [],
    )
  })
})

describe('README and the reference pages', () => {
  it('have examples that compile', () => {
    const examples = PAGES.flatMap((page) =>
      [...read(page).matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1]),
    )
    assert.ok(examples.length >= 3)
    // Inside the package, so that the package's own name resolves to the build.
    const folder = mkdtempSync(join(pkg, 'test/types/readme-'))
    try {
      writeFileSync(join(folder, 'around.d.ts'), AROUND)
      writeFileSync(join(folder, 'auth.ts'), AUTH)
      examples.forEach((example, at) => writeFileSync(join(folder, `example-${at}.ts`), example))
      const options = [
        '--noEmit',
        '--strict',
        '--ignoreConfig',
        '--types',
        '',
        '--target',
        'es2022',
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
      ]
      const files = ['around.d.ts', ...examples.map((_, at) => `example-${at}.ts`)].map((file) => join(folder, file))
      execFileSync(join(pkg, 'node_modules/.bin/tsc'), [...options, ...files], {
        cwd: pkg,
        encoding: 'utf8',
        timeout: 60_000,
      })
    } catch (error) {
      assert.fail(error.stdout || error.message)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('name every option', () => {
    assert.deepEqual(firstCells('docs/options.md', 'Options').sort(), members('TokenManagerOptions').sort())
  })

  it('name every member of the manager', () => {
    const named = new Set(firstCells('docs/manager.md', 'The manager').map((cell) => cell.match(/\w+/)[0]))
    const missing = members('TokenManager').filter((name) => !named.has(name) && name !== 'removeEventListener')
    assert.deepEqual(missing, [])
  })

  it('name every event', () => {
    assert.deepEqual(firstCells('docs/manager.md', 'Events').sort(), members('TokenManagerEventMap').sort())
  })

  it('name every error code', () => {
    const codes = [...errors.matchAll(/^  \| '([a-z-]+)'/gm)].map((code) => code[1])
    assert.deepEqual(
      firstCells('docs/manager.md', 'Errors')
        .filter((name) => name !== 'code')
        .sort(),
      codes.sort(),
    )
  })

  it('number the rules in one place', () => {
    const full = [...read('docs/architecture.md').matchAll(/^### Rule (\d+): (.*)$/gm)].map(
      ([, number, title]) => `${number} ${title}`,
    )
    const short = [...section('README.md', 'The rules').matchAll(/^(\d+)\. \*\*(.*?)\.?\*\*/gm)].map(
      ([, number, title]) => `${number} ${title}`,
    )
    assert.deepEqual(
      full.map((rule) => rule.toLowerCase()),
      short.map((rule) => rule.toLowerCase()),
    )
    assert.equal(full.length, 10)
  })

  it('have links that work', () => {
    for (const page of PAGES) {
      for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#]*)[^)]*\)/g)) {
        if (target) assert.ok(existsSync(join(pkg, '..', dirname(page), target)), `${page} links to ${target}`)
      }
    }
  })
})
