// Bundles a part of src/ alone, as a script for a page or a module for Node. `modules` replace `#core` and `#wasm`.

import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const browser = fileURLToPath(new URL('../../../src/browser/', import.meta.url))
const src = fileURLToPath(new URL('../../src/', import.meta.url))

/** `code` may import from './….js' as the files of src/ do. */
export async function bundle(code, modules = {}) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: src },
    bundle: true,
    format: 'esm',
    write: false,
    ignoreAnnotations: true,
    plugins: [
      {
        name: 'modules',
        setup(build) {
          build.onResolve({ filter: /^#(fetch|page|storage|timer)$/ }, ({ path }) => ({
            path: `${browser}${path.slice(1)}.js`,
          }))
          build.onResolve({ filter: /^#/ }, ({ path }) => ({ path, namespace: 'test' }))
          build.onLoad({ filter: /./, namespace: 'test' }, ({ path }) => ({ contents: modules[path], resolveDir: src }))
        },
      },
    ],
  })
  return outputFiles[0].text
}

/** The same, imported. */
export async function load(code, modules) {
  return import(`data:text/javascript,${encodeURIComponent(await bundle(code, modules))}`)
}
