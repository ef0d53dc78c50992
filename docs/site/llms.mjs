// `llms.txt` (https://llmstxt.org), and each page as the Markdown that it is made of, beside its HTML: for whoever reads without a browser.

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix, resolve } from 'node:path'
import { sentence } from './pages.mjs'

/** `url(name)` is where the reference of an entry is. */
export function writeText(out, { front, sections, outside, entries, url }) {
  const pages = [front, ...sections.flatMap(({ pages }) => pages), ...outside]
  const isMarkdown = ({ file }) => file.endsWith('.md')
  // What has no text of its own is there as HTML.
  const address = (page) => `${page.url}.${isMarkdown(page) ? 'md' : 'html'}`
  const addresses = new Map(pages.map((page) => [page.file, address(page)]))
  for (const page of pages.filter(isMarkdown)) {
    const path = join(out, address(page))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, relink(page, addresses))
  }

  const item = (title, url, note) => `- [${title}](${url})${note && `: ${note}`}\n`
  const section = (title, items) => (items.length ? `\n## ${title}\n\n${items.join('')}` : '')
  const listed = (pages) => pages.map((page) => item(page.title, address(page), page.note))
  writeFileSync(
    join(out, 'llms.txt'),
    [
      `# ${front.title}\n\n> ${front.summary}\n`,
      ...sections.map(({ title, pages }) => section(title, listed(pages))),
      section(
        'API reference',
        entries.map(({ name, note }) => item(name, url(name), sentence(note))),
      ),
      // What llmstxt.org names so may be left out where there is little room.
      section('Optional', listed(outside)),
    ].join(''),
  )
}

/** The text of a page, its links to other pages and to pictures as they are here. */
function relink({ file, text, url }, addresses) {
  return text.replace(/\]\(([^)#\s]+)(#[^)\s]*)?\)/g, (link, path, fragment = '') => {
    if (/^[a-z]+:/.test(path)) return link
    const target = resolve(dirname(file), path)
    const address = addresses.get(target) ?? (/\.(svg|png|jpe?g|gif|webp)$/.test(path) && `media/${basename(path)}`)
    return address ? `](${posix.relative(dirname(url), address)}${fragment})` : link
  })
}
