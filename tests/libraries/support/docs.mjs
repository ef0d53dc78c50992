// The pages of docs/libraries, and the code in them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const read = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** The first code block below the heading `## <title>` of `docs/libraries/<page>.md`. */
export function snippet(page, title = 'The page') {
  const section = read(`docs/libraries/${page}.md`)
    .split(/^##+ /m)
    .find((part) => part.startsWith(`${title}\n`))
  const code = /^```(?:js|jsx|ts|tsx)\n([\s\S]*?)^```/m.exec(section ?? '')?.[1]
  assert.ok(code, `docs/libraries/${page}.md has code below "${title}"`)
  return code
}

/** All code blocks of a page, with their headings. */
export function snippets(page) {
  const sections = read(`docs/libraries/${page}.md`).split(/^##+ /m)
  return sections.flatMap((section) =>
    [...section.matchAll(/^```(js|jsx|ts|tsx)\n([\s\S]*?)^```/gm)].map(([, , code]) => ({
      title: section.split('\n')[0],
      code,
    })),
  )
}

/** The installed version of a package. */
export const installed = (name) => JSON.parse(read(`tests/libraries/node_modules/${name}/package.json`)).version
