// A page of docs/frameworks as an app: each code block that begins with a file's name is that file.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

// `// src/auth.ts`, `<!-- src/App.vue -->`
const BLOCK = /^```\w+\n(?:\/\/ |<!-- )([\w./+()$-]+\.\w+)(?: -->)?\n([\s\S]*?)^```/gm

/** The files of a page, by name. */
export function files(page) {
  const text = readFileSync(at(`../../../docs/frameworks/${page}.md`), 'utf8')
  const found = Object.fromEntries([...text.matchAll(BLOCK)].map(([, name, code]) => [name, code]))
  assert.ok(Object.keys(found).length, `docs/frameworks/${page}.md has files`)
  return found
}

/** Writes a page's app, with the tests' additions, to its own folder; returns the folder. `home`: below it packages are found. */
export function write(page, { home = '.', name = page } = {}) {
  const app = join(at('../'), home, '.apps', name)
  rmSync(app, { recursive: true, force: true })
  for (const [name, code] of Object.entries(files(page))) {
    mkdirSync(dirname(join(app, name)), { recursive: true })
    writeFileSync(join(app, name), code)
  }
  for (const addition of ['shared', page]) cpSync(at(`../apps/${addition}`), app, { recursive: true })
  // As in an app whose bundler finds the package twice.
  cpSync(at(`../../../pkg/dist/frameworks/${page}.js`), join(app, 'copy.js'))
  return app
}
