// The entries of the package, as pkg/package.json names them.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './pages.mjs'

/** Each as `{ name, file, note }`: `tokenkeep/file`, its source, and what that says of itself in its first lines. */
export function findEntries() {
  const { name: own, exports } = JSON.parse(readFileSync(join(root, 'pkg/package.json'), 'utf8'))
  return Object.entries(exports).flatMap(([path, { types }]) => {
    if (!types) return []
    const stem = join(root, 'pkg', types.replace('./dist/', 'src/').replace(/\.d\.ts$/, ''))
    const file = [`${stem}.ts`, `${stem}.tsx`].find(existsSync)
    if (!file) throw new Error(`pkg/package.json: no source makes ${types}`)
    return { name: own + path.slice(1), file, note: firstComment(readFileSync(file, 'utf8')) }
  })
}

/** A directive may stand before it. */
function firstComment(text) {
  const [lines = ''] = /^(\/\/.*\n)+/m.exec(text) ?? []
  return lines
    .replace(/^\/\/ ?/gm, '')
    .replace(/\n/g, ' ')
    .trim()
}
