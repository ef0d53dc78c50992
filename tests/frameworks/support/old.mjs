// A binding with a framework version that is too old for it.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PACKAGE } from '../../e2e/support/paths.mjs'

/** Imports `tokenkeep/<binding>` with `modules` (name and code) in place of the framework. */
export async function withOld(binding, modules) {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
  try {
    cpSync(join(PACKAGE, `frameworks/${binding}.js`), join(folder, 'binding.mjs'))
    for (const [path, code] of Object.entries(modules)) {
      const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(path)
      const home = join(folder, 'node_modules', name)
      mkdirSync(home, { recursive: true })
      writeFileSync(join(home, 'package.json'), JSON.stringify({ exports: { [`.${rest}`]: './index.mjs' } }))
      writeFileSync(join(home, 'index.mjs'), code)
    }
    return await import(pathToFileURL(join(folder, 'binding.mjs')).href)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A manager with the members that a binding checks first. */
export const manager = { subscribe() {}, known() {}, state: { status: 'unknown' } }
