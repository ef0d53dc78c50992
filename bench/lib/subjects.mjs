// The subjects of the benchmark and their bundles, minified as an app would serve them.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

/** The subject that all others are compared with. */
export const REFERENCE = 'wrapper'

/** File name, title and npm packages of each subject. */
export const SUBJECTS = [
  { name: 'bare', title: 'bare `fetch`, no refresh', packages: [], refreshes: false },
  { name: REFERENCE, title: 'hand-written wrapper', packages: [] },
  { name: 'tokenkeep', title: '**tokenkeep**', ours: true, packages: [] },
  { name: 'tokenkeep-file', title: '**tokenkeep/file**', ours: true, packages: [] },
  { name: 'wretch', title: 'wretch + single flight', packages: ['wretch'] },
  { name: 'auth0', title: 'auth0-spa-js', packages: ['@auth0/auth0-spa-js'] },
  { name: 'supertokens', title: 'supertokens-website', packages: ['supertokens-website'] },
  { name: 'alova', title: 'alova', packages: ['alova'] },
  { name: 'axios', title: 'axios + axios-auth-refresh', packages: ['axios', 'axios-auth-refresh'] },
  { name: 'ky', title: 'ky + hooks', packages: ['ky'] },
]

/** The page of the part `homes`, and its workers. */
const HOMES = ['page', 'token-worker', 'service-worker', 'bare-worker', 'bare-service-worker']

export const version = (name) => JSON.parse(readFileSync(at(`../node_modules/${name}/package.json`), 'utf8')).version

/** All files for the server, by path: `[type, bytes]`. */
export async function files() {
  const served = {
    '/page.js': ['text/javascript', readFileSync(at('../page.js'))],
    '/core.wasm': ['application/wasm', readFileSync(at('../../pkg/dist/core.wasm'))],
  }
  for (const { name } of SUBJECTS)
    served[`/subjects/${name}.js`] = ['text/javascript', await bundled(`subjects/${name}`)]
  for (const scope of ['framed', 'bare'])
    served[`/homes/${scope}/page.html`] = ['text/html', Buffer.from('<!doctype html>')]
  for (const name of HOMES) served[`/homes/${name}.js`] = ['text/javascript', await bundled(`homes/${name}`)]
  return served
}

async function bundled(name) {
  const { outputFiles } = await build({
    entryPoints: [at(`../${name}.js`)],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome120',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: {
      tokenkeep: at('../../pkg/dist/index.js'),
      'tokenkeep/file': at('../../pkg/dist/file.js'),
      'tokenkeep/isolated': at('../../pkg/dist/isolation/page.js'),
      'tokenkeep/worker/script': at('../../pkg/dist/isolation/script.js'),
      'tokenkeep/service-worker': at('../../pkg/dist/isolation/service-worker.js'),
    },
    write: false,
    logLevel: 'error',
  })
  return Buffer.from(outputFiles[0].contents)
}
