// A page's script as an app's bundler makes it: one file, with the package's entries from its `exports`, and libraries from node_modules.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const HERE = fileURLToPath(new URL('../', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../../pkg/', import.meta.url))
const { exports } = JSON.parse(readFileSync(`${PACKAGE}package.json`, 'utf8'))

/** `import … from 'tokenkeep/…'`, resolved by the package's own exports. */
function entry(path) {
  const found = exports[path.replace(/^tokenkeep/, '.')]
  if (!found) return { errors: [{ text: `the package has no ${path}` }] }
  return { path: PACKAGE + (found.default ?? found).slice(2) }
}

/**
 * `code`: the page's script, as a module in TypeScript or JavaScript. `modules`: the text of modules that it imports by these names, such
 * as `{ client: snippet('axios') }` for `import … from 'client'`. `options` are added to esbuild's. Returns the bundle's text.
 */
export async function bundle(code, modules = {}, options = {}) {
  const {
    outputFiles: [file],
  } = await build({
    stdin: { contents: code, resolveDir: HERE, loader: 'tsx', sourcefile: 'page.tsx' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    // The file name selects the loader, for libraries that load such files.
    loader: { '.wasm': 'dataurl', '.css': 'empty' },
    outfile: 'bundle.js',
    ...options,
    plugins: [
      {
        name: 'tokenkeep',
        setup(build) {
          build.onResolve({ filter: /^tokenkeep(\/|$)/ }, ({ path }) => entry(path))
          // Packages that an entry leaves to the app, such as a framework, are resolved in the app.
          build.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
            if (Object.hasOwn(modules, path)) return { path, namespace: 'given' }
            return importer.startsWith(PACKAGE) ? build.resolve(path, { resolveDir: HERE, kind }) : undefined
          })
          build.onLoad({ filter: /./, namespace: 'given' }, ({ path }) => ({
            contents: modules[path],
            resolveDir: HERE,
            loader: 'tsx',
          }))
        },
      },
      ...(options.plugins ?? []),
    ],
  })
  return file.text
}
