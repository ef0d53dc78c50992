// Builds and serves a project of a tool with the packed package installed, and runs it in Chromium.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CALLS, startBrowser, visit } from './browser.mjs'
import { Failed, run, serve } from './run.mjs'
import { startServer } from './server.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** What all projects share: the tarball, a folder that is removed at exit, the server, the browser. */
export async function startGround() {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-matrix-'))
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))
  const said = await run(['npm', 'pack', '--json', '--silent', '--pack-destination', scratch], at('../../pkg/'))
  const [{ filename, version }] = JSON.parse(said.replace(/^[^[]*/, ''))
  const server = await startServer()
  const chrome = await startBrowser()
  return {
    scratch,
    server,
    chrome,
    version,
    tarball: join(scratch, filename),
    async close() {
      await chrome.close()
      server.close()
    },
  }
}

/** Visits the page `times` times: a dev server may load it twice at the first visit. The last visit must succeed. */
async function drive({ chrome, server }, file, times = 1) {
  let wrong
  for (let time = 1; time <= times; time++) wrong = await visit(chrome, server, { file, calls: CALLS })
  if (wrong) throw new Error(wrong)
}

/** The project of one tool. `file`: with the WebAssembly as a file. */
export class Project {
  constructor(ground, tool) {
    this.ground = ground
    this.tool = tool
    this.folder = join(ground.scratch, tool.name)
    this.home = at(`../tools/${tool.folder ?? tool.name}/`)
    this.scripts = json(join(this.home, 'package.json')).scripts ?? {}
    this.hasFile = existsSync(join(this.home, 'file'))
  }

  async install() {
    const isProject = (path) => !path.startsWith(join(this.home, 'file')) && !path.includes('node_modules')
    cpSync(this.home, this.folder, { recursive: true, filter: isProject })
    cpSync(at('../app/'), join(this.folder, this.tool.app), { recursive: true })
    const flags = ['--prefer-offline', '--no-audit', '--no-fund']
    await run(['npm', 'ci', ...flags], this.folder)
    await run(['npm', 'install', '--no-save', ...flags, this.ground.tarball], this.folder)
  }

  versions() {
    return this.tool.versions
      .map((name) => `${name} ${json(join(this.folder, 'node_modules', name, 'package.json')).version}`)
      .join(', ')
  }

  useFile() {
    cpSync(join(this.home, 'file'), this.folder, { recursive: true })
  }

  words(script) {
    return ['npm', 'run', '--silent', `${script}${this.tool.script ?? ''}`]
  }

  async built(file) {
    if (this.scripts.build) await run(this.words('build'), this.folder)
    if (this.scripts.start) return this.serving('start', file, 1)
    this.ground.server.put(this.files())
    return drive(this.ground, file)
  }

  files() {
    return { folders: this.tool.serves.map((folder) => join(this.folder, folder)) }
  }

  dev(file) {
    return this.serving('dev', file, 2)
  }

  async serving(script, file, times) {
    const ready = script === 'dev' ? this.tool.watches : undefined
    const serving = await serve(this.words(script), this.folder, { ready })
    try {
      this.ground.server.put(ready ? this.files() : { port: serving.port })
      await drive(this.ground, file, times)
    } catch (error) {
      throw new Failed(error.message, serving.said())
    } finally {
      await serving.stop()
    }
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
