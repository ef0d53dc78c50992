// Installs the packed package into a project of each tool, builds it, serves it, and drives it in Chromium; then the same with the dev
// server, and both with the WebAssembly as a file. Without names: all tools. Writes docs/matrix.md.

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CALLS, startBrowser, visit } from './lib/browser.mjs'
import { Failed, run, serve } from './lib/run.mjs'
import { startServer } from './lib/server.mjs'
import { line, write } from './lib/table.mjs'
import { TOOLS } from './tools.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

const names = process.argv.slice(2)
const unknown = names.filter((name) => !TOOLS.some((tool) => tool.name === name))
if (unknown.length) {
  console.error(`no tool ${unknown.join(', ')}: there are ${TOOLS.map(({ name }) => name).join(' ')}`)
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-matrix-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))

const [{ filename }] = JSON.parse((await pack()).replace(/^[^[]*/, ''))
const tarball = join(scratch, filename)
const server = await startServer()
const chrome = await startBrowser()
const results = []
let failed = 0

async function pack() {
  return run(['npm', 'pack', '--json', '--silent', '--pack-destination', scratch], at('../pkg/'))
}

/** Waits for a page that is well, `times` times; what a dev server does at the first visit may load it twice. Fails with what is wrong. */
async function drive(file, times = 1) {
  let wrong
  for (let time = 1; time <= times; time++) wrong = await visit(chrome, server, { file, calls: CALLS })
  if (wrong) throw new Error(wrong)
}

/** One tool; `file`: with the WebAssembly as a file. */
class Project {
  constructor(tool) {
    this.tool = tool
    this.folder = join(scratch, tool.name)
    this.home = at(`./tools/${tool.folder ?? tool.name}/`)
    this.scripts = json(join(this.home, 'package.json')).scripts ?? {}
    this.hasFile = existsSync(join(this.home, 'file'))
  }

  async install() {
    const isProject = (path) => !path.startsWith(join(this.home, 'file')) && !path.includes('node_modules')
    cpSync(this.home, this.folder, { recursive: true, filter: isProject })
    cpSync(at('./app/'), join(this.folder, this.tool.app), { recursive: true })
    const flags = ['--prefer-offline', '--no-audit', '--no-fund']
    await run(['npm', 'ci', ...flags], this.folder)
    await run(['npm', 'install', '--no-save', ...flags, tarball], this.folder)
  }

  versions() {
    return this.tool.versions.map((name) => `${name} ${json(join(this.folder, 'node_modules', name, 'package.json')).version}`).join(', ')
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
    server.put(this.files())
    return drive(file)
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
      server.put(ready ? this.files() : { port: serving.port })
      await drive(file, times)
    } catch (error) {
      throw new Failed(error.message, serving.said())
    } finally {
      await serving.stop()
    }
  }
}

/** The cell of a step. What went wrong is said at length here, and in short in the note. */
async function cell(notes, what, step) {
  const began = Date.now()
  try {
    await step()
    return `yes, ${((Date.now() - began) / 1000).toFixed(0)} s`
  } catch (error) {
    failed++
    console.error(`${what}: ${error.message}\n${(error.said ?? error.stack).trim().split('\n').slice(-40).join('\n')}`)
    notes.push(`${what}: ${reason(error)}.`)
    return '**no**'
  }
}

/** The first line that names an error, without the paths of this run. */
function reason({ message, said = '' }) {
  const lines = said.split('\n').map((line) => line.trim())
  const text = lines.find((line) => /error|cannot|could not|failed/i.test(line)) ?? ''
  return `${message}${text && ` (${text})`}`.replaceAll(scratch, '').replaceAll('`', "'").slice(0, 300)
}

for (const tool of TOOLS.filter(({ name }) => !names.length || names.includes(name))) {
  const project = new Project(tool)
  const notes = [...tool.notes]
  const result = { title: tool.title, versions: '', build: 'not run', dev: 'not run', fileBuild: 'not run', fileDev: 'not run', notes }
  const dev = (what, file) => (project.scripts.dev ? cell(notes, what, () => project.dev(file)) : 'none')
  const installed = await cell(notes, 'install', () => project.install())
  if (installed.startsWith('yes')) {
    result.versions = project.versions()
    result.build = await cell(notes, 'build', () => project.built(false))
    result.dev = await dev('dev', false)
    if (project.hasFile) {
      project.useFile()
      result.fileBuild = await cell(notes, 'file, build', () => project.built(true))
      result.fileDev = await dev('file, dev', true)
    } else {
      result.fileBuild = result.fileDev = 'none'
    }
  }
  console.log(line(result))
  results.push(result)
  write(at('../docs/matrix.md'), TOOLS.map(({ title }) => title), results, {
    node: (await run(['node', '--version'], scratch)).trim().slice(1), chromium: chrome.version(), version: json(at('../pkg/package.json')).version,
  })
  rmSync(project.folder, { recursive: true, force: true, maxRetries: 3 })
}

await chrome.close()
server.close()
process.exitCode = failed ? 1 : 0
