// The source maps: a stack trace or a debugger shows lines of the TypeScript, and a bundler passes them on.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { build } from 'esbuild'

const root = new URL('../../', import.meta.url)
const dist = new URL('pkg/dist/', root)
const read = (url) => readFileSync(url, 'utf8')
const { exports } = JSON.parse(read(new URL('pkg/package.json', root)))
const entries = Object.values(exports).flatMap((entry) => entry.default?.replace('./dist/', '') ?? [])
const names = [...entries, 'isolation/attached.js']

/** The texts in single quotes of a source that are in `all` only once, with their lines, which begin at 1. */
function texts(source, all) {
  return source.split('\n').flatMap((line, index) => {
    if (/^\s*(\/?\*|\/\/)/.test(line)) return []
    const found = [...line.matchAll(/'[\w ,:./-]{12,}'/g)].map(([quoted]) => quoted.slice(1, -1))
    return found.filter((text) => all.split(text).length === 2).map((text) => ({ text, line: index + 1 }))
  })
}

/** Where a text stands in minified code, if it does so once. */
function position(code, text) {
  const [before, ...after] = code.split(new RegExp(`["'\`]${text.replaceAll(/[./]/g, '\\$&')}["'\`]`))
  if (after.length !== 1) return undefined
  const lines = before.split('\n')
  return { line: lines.length, column: lines.at(-1).length }
}

describe('the source maps', () => {
  it('name copies of the sources, and nothing generated', () => {
    for (const name of names) {
      const { sources, sourcesContent } = JSON.parse(read(new URL(`${name}.map`, dist)))
      assert.ok(sources.length > 0, name)
      assert.equal(sourcesContent, undefined)
      for (const source of sources) {
        const { href } = new URL(source, new URL(name, dist))
        const path = href.replace(`${dist}source/`, '')
        const original = path.startsWith('crate/') ? path.replace('crate', 'src') : `pkg/src/${path}`
        assert.equal(read(new URL(href)), read(new URL(original, root)), `${name}: ${source}`)
      }
    }
  })

  it('lead from each module to the lines of its sources', () => {
    const checked = new Set()
    for (const name of names) {
      const url = new URL(name, dist)
      const code = read(url)
      const [, comment] = code.match(/\n\/\/# sourceMappingURL=(\S+)$/)
      const map = new TraceMap(read(new URL(comment, url)))
      const contents = map.sources.map((source) => read(new URL(source, url)))
      for (const [index, source] of map.sources.entries()) {
        for (const { text, line } of texts(contents[index], contents.join('\n'))) {
          const at = position(code, text)
          if (!at) continue
          const found = originalPositionFor(map, at)
          assert.deepEqual([found.source, found.line], [source, line], `${name}: ${text}`)
          checked.add(new URL(source, url).href)
        }
      }
    }
    for (const source of ['manager.ts', 'isolation/manager.ts', 'frameworks/vue.ts', 'crate/browser/http.js'])
      assert.ok(checked.has(`${dist}source/${source}`), source)
  })

  it('show the lines of an error in Node', async () => {
    const script = `
      import { createTokenManager } from '${dist}index.js'
      const manager = createTokenManager({ refresh: '/auth/refresh' })
      console.log((await manager.fetch('/api/me').catch((error) => error)).stack)`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--enable-source-maps',
      '--input-type=module',
      '--eval',
      script,
    ])
    const [, path, line] = stdout.match(/^TokenError: There is no page.*\n.*\((.+):(\d+):\d+\)/)
    assert.equal(path, fileURLToPath(new URL('source/manager.ts', dist)))
    assert.match(read(path).split('\n')[+line - 1], /new TokenError\('server', 'There is no page/)
  })

  it('become part of the maps of an app', async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('index.js', dist))],
      bundle: true,
      format: 'esm',
      outfile: 'app.js',
      sourcemap: 'external',
      write: false,
    })
    const { sources, sourcesContent } = JSON.parse(outputFiles.find(({ path }) => path.endsWith('.map')).text)
    const index = sources.findIndex((source) => source.endsWith('source/manager.ts'))
    assert.equal(sourcesContent[index], read(new URL('source/manager.ts', dist)))
  })
})
