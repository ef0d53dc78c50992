// What the documentation says about the package and the back ends: entries, the pages of docs/backends, their client code.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const read = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** An import map for the package's modules; `base` is the URL of `dist/`. */
export function importMap(base) {
  const entries = Object.entries(JSON.parse(read('pkg/package.json')).exports)
  const modules = entries.filter(([, entry]) => entry.default)
  return {
    imports: Object.fromEntries(
      modules.map(([name, entry]) => [name.replace(/^\./, 'tokenkeep'), entry.default.replace('./dist/', base)]),
    ),
  }
}

/** The client code of `docs/backends/<page>.md`, as a module. */
export function snippet(page) {
  const code = /^## The page\n\n```js\n([\s\S]*?)^```/m.exec(read(`docs/backends/${page}.md`))?.[1]
  assert.ok(code, `docs/backends/${page}.md has client code`)
  return code
}

/** The rows of the table in docs/backends/README.md: `{ page, presets, versions }`, with versions by package name. */
export function table() {
  const rows = [...read('docs/backends/README.md').matchAll(/^\| \[[^\]]+\]\(([\w-]+)\.md\) \| (.*) \| (.*) \|$/gm)]
  return rows.map(([, page, presets, versions]) => ({
    page,
    presets: [...presets.matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    versions: Object.fromEntries([...versions.matchAll(/([\w.-]+) (\d[\d.]*\d)/g)].map((match) => match.slice(1))),
  }))
}

/** The installed versions, by package name. */
export function pinned() {
  const python = [...read('tests/backends/requirements.txt').matchAll(/^([\w.-]+)(?:\[.*\])?==(.*)$/gm)].map((match) =>
    match.slice(1),
  )
  const npm = Object.entries(JSON.parse(read('tests/backends/package-lock.json')).packages).map(
    ([path, { version }]) => [path.replace('node_modules/', ''), version],
  )
  return Object.fromEntries([...python, ...npm])
}
