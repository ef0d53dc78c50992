// A page's app in Vite's development server, so that its files can be edited.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { createServer as createVite } from 'vite'
import { startSite } from './site.mjs'

export async function develop(root, plugins) {
  let vite
  const site = await startSite((asked, answer) => vite.middlewares(asked, answer))
  vite = await createVite({
    root,
    plugins,
    configFile: false,
    logLevel: 'warn',
    appType: 'spa',
    server: { middlewareMode: true, hmr: { server: site.front }, watch: { usePolling: false } },
  })
  after(() => vite.close())
  return site
}

/** Edits a file, as a developer does. */
export function edit(root, name, from, to) {
  const file = join(root, name)
  const text = readFileSync(file, 'utf8')
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
  writeFileSync(file, text.replaceAll(from, to))
}
