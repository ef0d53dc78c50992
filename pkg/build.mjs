// Builds dist/ from src/ and generated/ (the output of `cargo xtask build` for the crate). The same input gives the same bytes.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipAsync } from '@gfx/zopfli'
import { build } from 'esbuild'
import { minify } from 'terser'
import { eager } from './eager.mjs'
import { glue, rename, slim } from './glue.mjs'
import { published } from './maps.mjs'
import { named } from './order.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const path = (...names) => join(here, ...names)

// The oldest platforms with the features that the package needs at run time (DecompressionStream).
const TARGET = ['chrome80', 'firefox113', 'safari16.4', 'node20']
// The package's modules, as package.json exports them. None imports another, so an app bundles only those that it imports.
const { exports } = JSON.parse(readFileSync(path('package.json'), 'utf8'))
const ENTRIES = Object.values(exports).flatMap((entry) => entry.default?.match(/^\.\/dist\/(.+)\.js$/)?.[1] ?? [])
// Of these, the modules that an app waits for at its start.
const STARTS = ['index', 'file']
// The modules that run in a worker and cannot ask the page.
const WORKERS = ['isolation/worker', 'isolation/service-worker']
const SCRIPT = 'isolation/script'
// For service workers that are not modules.
const CLASSIC = 'isolation/service-worker-script'
// What the page's part loads if the token is kept in a service worker.
const ATTACHED = 'isolation/attached'
// The declarations that the entries refer to; the others stay internal.
const TYPES = [...ENTRIES, 'types', 'error', 'remote']

const COMPRESS = /** @type {const} */ ({ passes: 3, ecma: 2020, directives: false })

/** Minifies with terser, whose output is a twentieth smaller than esbuild's. React's 'use client' stays. */
const small = (text, isModule, sourceMap) => minify(text, { module: isModule, compress: COMPRESS, sourceMap })

/** The same for a module that V8 should compile in the background. terser's types do not know syntax trees. */
async function early(text, sourceMap) {
  const format = /** @type {any} */ ({ spidermonkey: true, code: false })
  const { ast } = /** @type {any} */ (await minify(text, { module: true, compress: COMPRESS, mangle: false, format }))
  return minify(eager(ast), {
    module: true,
    parse: /** @type {any} */ ({ spidermonkey: true }),
    compress: false,
    sourceMap,
  })
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
try {
  rmSync(path('dist'), { recursive: true, force: true })
  mkdirSync(path('dist'))

  const renamed = execFileSync(
    path('node_modules/.bin/wasm-opt'),
    [path('generated/core_bg.wasm'), '--minify-imports-and-exports-and-modules', '-o', path('dist/core.wasm')],
    { encoding: 'utf8' },
  )
  writeFileSync(path('dist/core.wasm'), named(readFileSync(path('dist/core.wasm'))))
  execFileSync(path('node_modules/.bin/wasm-opt'), [
    path('dist/core.wasm'),
    '--reorder-functions-by-name',
    '--strip-debug',
    '--strip-producers',
    '--strip-target-features',
    '-o',
    path('dist/core.wasm'),
  ])
  const core = glue(rename(slim(readFileSync(path('generated/core.js'), 'utf8')), JSON.parse(renamed)))
  const [, crate] = core.match(/snippets\/(tokenkeep-\w+)\//)
  // A slow packer: a twentieth smaller than zlib's output, and readable by the same DecompressionStream.
  const packed = Buffer.from(await gzipAsync(readFileSync(path('dist/core.wasm')), {})).toString('base64')

  const modules = { '#core': core, '#wasm': `export default ${JSON.stringify(packed)}` }
  const browser = path('generated/snippets', crate, 'src/browser')
  /** Inserts the generated modules, among them the core's own: the core and the TypeScript share what they know of the page and its
   * `fetch`. */
  const generated = {
    name: 'core',
    setup(build) {
      build.onResolve({ filter: /^#(fetch|page|storage|timer)$/ }, ({ path: name }) => ({
        path: join(browser, `${name.slice(1)}.js`),
      }))
      build.onResolve({ filter: /^#/ }, ({ path }) => ({ path, namespace: 'core' }))
      build.onLoad({ filter: /./, namespace: 'core' }, ({ path }) => ({
        contents: modules[path],
        resolveDir: join(here, 'src'),
      }))
    },
  }
  /** Replaces modules that ask the page by modules with answers that were collected beforehand. */
  const workers = {
    name: 'worker',
    setup(build) {
      build.onResolve({ filter: /^\.+\/(.*\/)?(fetch|page|storage|timer)\.js$/ }, ({ path: name, resolveDir }) => {
        const asked = resolve(resolveDir, name)
        return dirname(asked) === browser
          ? { path: path('src/isolation/platform', basename(asked).replace(/js$/, 'ts')) }
          : undefined
      })
    },
  }
  /** Bundles with esbuild, and minifies with terser, whose output is a twentieth smaller. */
  async function make(names, plugins, /** @type {import('esbuild').BuildOptions} */ { external, format = 'esm' } = {}) {
    const { outputFiles } = await build({
      entryPoints: names.map((name) => path('src', `${name}.ts`)),
      outbase: path('src'),
      outdir: path('dist'),
      bundle: true,
      // A framework that an entry is for comes from the app.
      packages: 'external',
      external,
      minify: true,
      format,
      target: TARGET,
      // Chrome 80 supports it; the bug that it had until 91 concerns private names after `?.`.
      supported: { 'optional-chain': true },
      legalComments: 'none',
      sourcemap: 'external',
      plugins,
      write: false,
    })
    const texts = new Map(outputFiles.map(({ path, text }) => [path, text]))
    for (const [path, text] of texts) {
      if (path.endsWith('.map')) continue
      const sourceMap = {
        content: texts.get(`${path}.map`),
        includeSources: true,
        asObject: true,
        url: `${basename(path)}.map`,
      }
      const isEarly = STARTS.some((name) => path.endsWith(`/dist/${name}.js`))
      const { code, map } = await (isEarly ? early(text, sourceMap) : small(text, format === 'esm', sourceMap))
      const { lines, copies } = published(map)
      write(path, code)
      write(`${path}.map`, lines)
      for (const [name, copy] of copies) write(resolve(dirname(path), name), copy)
    }
  }
  await make([...ENTRIES.filter((name) => ![...WORKERS, SCRIPT, CLASSIC].includes(name)), ATTACHED], [generated], {
    external: ['./attached.js'],
  })
  await make(WORKERS, [workers, generated])
  await make([CLASSIC], [workers, generated], { format: 'iife' })
  // The script brings no second core.
  await make([SCRIPT], [], { external: ['./worker.js'] })

  execFileSync(path('node_modules/.bin/tsc'), ['--project', here, '--outDir', scratch], { stdio: 'inherit' })
  for (const name of TYPES) {
    mkdirSync(dirname(path('dist', name)), { recursive: true })
    copyFileSync(join(scratch, `${name}.d.ts`), path('dist', `${name}.d.ts`))
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
