// Copies the built package to where an app finds installed packages: as files, so that the package's own dependencies are not found.

import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const from = fileURLToPath(new URL('../../../pkg/', import.meta.url))

for (const folder of ['../', '../react-18/']) {
  const to = fileURLToPath(new URL(`${folder}node_modules/tokenkeep/`, import.meta.url))
  rmSync(to, { recursive: true, force: true })
  for (const part of ['package.json', 'dist']) cpSync(from + part, to + part, { recursive: true })
}
