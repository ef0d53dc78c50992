// The README says what is true: its TypeScript compiles against the built package, its tables name every option, member and
// error code, and nothing else.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const pkg = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(pkg, '../README.md'), 'utf8')
const types = readFileSync(join(pkg, 'src/types.ts'), 'utf8')
const errors = readFileSync(join(pkg, 'src/error.ts'), 'utf8')

// What the examples take for granted: a form, a function of the app, a bundler's way to name a file.
const AROUND = `
declare const form: HTMLFormElement
declare function showLogin(reason: string): void
declare module '*?url' { const url: string; export default url }
`

function section(title) {
  const found = readme.split(/^## /m).find((part) => part.startsWith(title))
  assert.ok(found, `the README has a section "${title}"`)
  return found
}

/** The names in backticks in the first cells of a section's table. */
function firstCells(title) {
  const cells = [...section(title).matchAll(/^\| (`[^|]*) \|/gm)].map((row) => row[1])
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((name) => name[1]))
}

/** The members of an interface in types.ts. */
function members(name) {
  const body = types.match(new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm'))[1]
  return [...body.matchAll(/^  (?:readonly )?([a-zA-Z]+)\??[:(]/gm)].map((member) => member[1])
}

describe('the README', () => {
  it('has examples that compile', () => {
    const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1])
    assert.ok(examples.length >= 2)
    // Inside the package, so that its own name leads to what is built.
    const folder = mkdtempSync(join(pkg, 'test/types/readme-'))
    try {
      writeFileSync(join(folder, 'around.d.ts'), AROUND)
      examples.forEach((example, at) => writeFileSync(join(folder, `example-${at}.ts`), example))
      const options = ['--noEmit', '--strict', '--ignoreConfig', '--types', '', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler']
      const files = ['around.d.ts', ...examples.map((_, at) => `example-${at}.ts`)].map((file) => join(folder, file))
      execFileSync(join(pkg, 'node_modules/.bin/tsc'), [...options, ...files], { cwd: pkg, encoding: 'utf8', timeout: 60_000 })
    } catch (error) {
      assert.fail(error.stdout || error.message)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names every option', () => {
    assert.deepEqual(firstCells('Options').sort(), members('TokenManagerOptions').sort())
  })

  it('names every member of the manager', () => {
    const named = new Set(firstCells('The manager').map((cell) => cell.match(/\w+/)[0]))
    const missing = members('TokenManager').filter((name) => !named.has(name) && name !== 'removeEventListener')
    assert.deepEqual(missing, [])
  })

  it('names every error code', () => {
    const codes = [...errors.matchAll(/^  \| '([a-z-]+)'/gm)].map((code) => code[1])
    assert.deepEqual(firstCells('Errors').filter((name) => name !== 'code').sort(), codes.sort())
  })
})
