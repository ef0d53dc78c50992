// Tools that do not read `exports` look for a folder: `moduleResolution: node` in TypeScript before 6, Parcel, webpack 4. Packing creates a
// folder with a package.json beside `dist` for each entry, and removes it afterwards. `node stubs.mjs [remove]`

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

for (const [name, { types, default: main }] of Object.entries(exports)) {
  if (name === '.' || !main) continue
  if (process.argv[2] === 'remove') {
    rmSync(join(here, name.split('/')[1]), { recursive: true, force: true })
    continue
  }
  const up = (path) => relative(name, path)
  mkdirSync(join(here, name), { recursive: true })
  writeFileSync(
    join(here, name, 'package.json'),
    `${JSON.stringify({ type: 'module', main: up(main), types: up(types) }, undefined, 2)}\n`,
  )
}
