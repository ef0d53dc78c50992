// The code in docs/, unchanged, for a page in which the package has its name.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { file } from './files.mjs'
import { importMap } from '../../backends/support/package.mjs'

/** The code blocks of a page of docs/ in one language. */
export function blocks(page, language = 'js') {
  const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8')
  const found = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, of]) => of === language)
    .map(([, , code]) => code)
  assert.ok(found.length, `docs/${page}.md has code in ${language}`)
  return found
}

const HTML = (body) => `<!doctype html>
<meta charset="utf-8">
<title>tokenkeep</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify(importMap('/tokenkeep/'))}</script>
<script type="module" src="/page.js"></script>
<body>${body}
`

/** Routes of a server: the test page with `body`, and the first code block of a page of docs/ as `/snippet.js`. */
export function documented(page, body = '') {
  return {
    // This route also serves every path without a route of its own.
    '/': ({ path }) => (path === '/' ? { type: 'text/html', body: HTML(body) } : file(path)),
    '/snippet.js': () => ({ type: 'text/javascript', body: blocks(page)[0] }),
  }
}
