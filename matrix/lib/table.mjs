// Writes docs/matrix.md from the results. A run of some tools keeps the rows of the others.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

const HEAD = ['tool', 'versions', 'build', 'dev', 'file, build', 'file, dev', 'note']

const row = (cells) =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`

export const line = ({ title, versions, build, dev, fileBuild, fileDev, notes }) =>
  row([title, versions, build, dev, fileBuild, fileDev, notes.join(' ')])

/** `order`: the titles of all tools. */
export function write(path, order, results, { node, chromium, version }) {
  const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  const rows = order.map((title) => {
    const result = results.find((result) => result.title === title)
    return result
      ? line(result)
      : (before.find((line) => line.startsWith(`| ${title} |`)) ?? row([title, '', ...Array(4).fill('not run'), '']))
  })
  writeFileSync(
    path,
    `# Build tools

Results of \`cargo xtask matrix\`: tokenkeep ${version}, packed and installed from its tarball into a minimal project for each tool, in
Chromium ${chromium}; the tools ran under Node ${node}. In every cell a page signs in, the server refuses its token, and the page makes three calls at
once: all three must be answered, after exactly one refresh. The projects are in [matrix/tools](../matrix/tools).

- **build**: the production build, served as files, or by the tool's own server if the tool renders on a server.
- **dev**: the tool's dev server.
- **file**: \`tokenkeep/file\`, with \`tokenkeep/core.wasm\` as a file that the tool emits. The folder \`file\` of a project has the differences.

A figure is the time in seconds from the command until the page is done, without npm's time; with a dev server it includes two visits. ${machine()}. "none":
the tool has no such mode.

${row(HEAD)}
${row(HEAD.map(() => '---'))}
${rows.join('\n')}
`,
  )
}

function machine() {
  const cores = cpus()
  return `${cores.length} × ${cores[0].model.trim()}, load average ${loadavg()[0].toFixed(1)}`
}
