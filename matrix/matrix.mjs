// Installs the packed package into a project of each tool, builds and serves the project, and runs it in Chromium. Then
// does the same with the dev server, and both again with the WebAssembly as a file. Runs the named tools, or all.
// Writes docs/matrix.md.

import { fileURLToPath } from 'node:url'
import { Project, startGround } from './lib/project.mjs'
import { run } from './lib/run.mjs'
import { line, write } from './lib/table.mjs'
import { TOOLS } from './tools.mjs'

const TABLE = fileURLToPath(new URL('../docs/matrix.md', import.meta.url))

const names = process.argv.slice(2)
const unknown = names.filter((name) => !TOOLS.some((tool) => tool.name === name))
if (unknown.length) {
  console.error(`no tool ${unknown.join(', ')}: there are ${TOOLS.map(({ name }) => name).join(' ')}`)
  process.exit(2)
}

const ground = await startGround()
const node = (await run(['node', '--version'], ground.scratch)).trim().slice(1)
const results = []
let failed = 0

/** The cell of a step. A failure is printed in full, and noted in short below the table. */
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

/** The first line that contains an error, without the paths of this run. */
function reason({ message, said = '' }) {
  const lines = said.split('\n').map((line) => line.trim())
  const text = lines.find((line) => /error|cannot|could not|failed/i.test(line)) ?? ''
  return `${message}${text && ` (${text})`}`.replaceAll(ground.scratch, '').replaceAll('`', "'").slice(0, 300)
}

for (const tool of TOOLS.filter(({ name }) => !names.length || names.includes(name))) {
  const project = new Project(ground, tool)
  const notes = [...tool.notes]
  const result = {
    title: tool.title,
    versions: '',
    build: 'not run',
    dev: 'not run',
    fileBuild: 'not run',
    fileDev: 'not run',
    notes,
  }
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
  write(
    TABLE,
    TOOLS.map(({ title }) => title),
    results,
    { node, chromium: ground.chrome.version(), version: ground.version },
  )
  project.remove()
}

await ground.close()
process.exitCode = failed ? 1 : 0
