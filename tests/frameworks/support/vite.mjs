// Builds a page's app with Vite: for the browser and, if it has an entry for it, for a server.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'

/** A development build, because it reports more errors. Returns the files' folder, and `render`. */
export async function bundle(root, plugins) {
  const mode = 'development'
  const options = (out, more) => ({
    root,
    plugins,
    mode,
    configFile: false,
    logLevel: 'warn',
    build: { outDir: `dist/${out}`, minify: false, ...more },
  })
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = mode
  try {
    const input = ['index', 'bench', 'routed']
      .map((name) => join(root, `${name}.html`))
      .filter((file) => existsSync(file))
    await build(options('client', { rolldownOptions: { input } }))
    const entry = ['tsx', 'ts'].map((kind) => `src/entry-server.${kind}`).find((name) => existsSync(join(root, name)))
    if (!entry) return { folder: join(root, 'dist/client') }
    await build(options('server', { ssr: entry }))
    const { render } = await import(pathToFileURL(join(root, 'dist/server/entry-server.js')).href)
    return { folder: join(root, 'dist/client'), render }
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}
