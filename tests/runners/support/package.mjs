// The package as a project has it: the packed files in node_modules, not a link. Runners treat installed packages differently from a
// project's own files.

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const INSTALLED = at('../node_modules/tokenkeep/')

/** Copies the build into `node_modules`. */
export function installPackage() {
  rmSync(INSTALLED, { recursive: true, force: true })
  mkdirSync(INSTALLED)
  for (const name of ['package.json', 'dist']) cpSync(at(`../../../pkg/${name}`), INSTALLED + name, { recursive: true })
}
