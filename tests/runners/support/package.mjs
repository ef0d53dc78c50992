// The package as a project has it: what is packed, in node_modules, and no link. Runners treat what is installed in another way than
// a project's own files.

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const INSTALLED = at('../node_modules/tokenkeep/')

/** Puts what is built into `node_modules`. */
export function installPackage() {
  rmSync(INSTALLED, { recursive: true, force: true })
  mkdirSync(INSTALLED)
  for (const name of ['package.json', 'dist']) cpSync(at(`../../../pkg/${name}`), INSTALLED + name, { recursive: true })
}
