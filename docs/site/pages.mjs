// The pages of the site: what is Markdown under docs/, and what of the repository they link to.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import MarkdownIt from 'markdown-it'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const docs = join(root, 'docs')
export const front = join(docs, 'README.md')

// The order of the navigation. A folder or page that is not named here comes after those that are, by the alphabet.
const SECTIONS = [
  ['Start', ['start.md', 'manager.md', 'options.md', 'faq.md']],
  ['Frameworks', 'frameworks'],
  ['Libraries', 'libraries'],
  ['Back ends', 'backends'],
  ['Sessions', 'sessions'],
  [
    'Where it runs',
    ['platform.md', 'isolation.md', 'service-worker.md', 'matrix.md', 'cors.md', 'ssr.md', 'csp.md', 'shells.md'],
  ],
  ['Testing', 'testing'],
  ['Debugging', ['debugging.md']],
  ['Migration', 'migration'],
  ['How it works', ['security.md', 'threat-model.md', 'dpop.md', 'architecture.md'], 'benchmark'],
]
const parser = new MarkdownIt()

/**
 * `{ sections, outside }`. A section is `{ title, pages }`; a page is `{ file, title, note, text, url }`, whose `url` is where it is in
 * the site, without the `.html`. `outside` are the files and folders of the repository that pages link to; a folder has `files`, and no text.
 */
export function findPages() {
  const files = new Set(markdown(docs))
  files.delete(front)
  const sections = SECTIONS.map(([title, ...parts]) => ({ title, pages: parts.flatMap((part) => take(part, files)) }))
  const folders = new Set([...files].map((file) => relative(docs, dirname(file)).split('/')[0]))
  for (const folder of [...folders].sort()) {
    const pages = take(folder || [...files].map((file) => relative(docs, file)), files)
    sections.push({ title: folder ? pages[0].title : 'More', pages })
  }
  const found = sections.filter(({ pages }) => pages.length)
  return { sections: found, outside: outside([read(front), ...found.flatMap(({ pages }) => pages)]) }
}

/** Takes pages out of `files`: those of a list of names, or all of a folder. */
function take(part, files) {
  const wanted = Array.isArray(part)
    ? part.map((name) => join(docs, name))
    : [...files].filter((file) => file.startsWith(join(docs, part, '/'))).sort(byPlace)
  return wanted.filter((file) => files.delete(file)).map(read)
}

/** A folder's README first. */
function byPlace(one, other) {
  const key = (file) => file.replace(/README\.md$/, '')
  return key(one) < key(other) ? -1 : 1
}

function markdown(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    // This folder, which is about the pages and none of them.
    if (entry.isDirectory()) return path === join(docs, 'site') ? [] : markdown(path)
    return entry.name.endsWith('.md') ? path : []
  })
}

export function read(file) {
  if (isFolder(file)) return { file, files: filesOf(file), url: place(file), title: relative(root, file), note: '' }
  const text = readFileSync(file, 'utf8')
  const page = { file, text, url: place(file) }
  if (!file.endsWith('.md')) return { ...page, title: basename(file), note: '' }
  const tokens = parser.parse(text, {})
  const heading = tokens.findIndex(({ type, tag }) => type === 'heading_open' && tag === 'h1')
  if (heading < 0) throw new Error(`${relative(root, file)}: it has no first heading to take the title from`)
  const paragraphs = tokens.flatMap(({ type, level }, index) =>
    index > heading && type === 'paragraph_open' && !level ? plain(tokens[index + 1]) : [],
  )
  // Which versions a page was verified with says little of it.
  const summary = paragraphs.find((text) => !text.startsWith('Verified with')) ?? paragraphs[0] ?? ''
  return { ...page, title: plain(tokens[heading + 1]), summary, note: sentence(summary) }
}

function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
}

/** Where a file is in the site: `docs/` is its top, and the rest of the repository is a folder of its own. */
function place(file) {
  const path = relative(docs, file).startsWith('..') ? join('repository', relative(root, file)) : relative(docs, file)
  return path.replace(/README\.md$/, 'index').replace(/\.md$/, '')
}

function plain({ children }) {
  return children.map(({ type, content }) => (type === 'softbreak' ? ' ' : content)).join('')
}

/** As many sentences as it takes to say something. */
export function sentence(text) {
  return /^.{40,}?[.!?](?=\s|$)/.exec(text)?.[0] ?? text.replace(/:$/, '.')
}

/**
 * The files that pages link to, and that are no pages yet; and those that these link to. Throws where something is not there: a page
 * must read well where it is kept, too.
 */
function outside(pages) {
  const seen = new Set(pages.map(({ file }) => file))
  const found = []
  const broken = []
  for (const page of pages) {
    for (const target of links(page)) {
      if (seen.has(target)) continue
      seen.add(target)
      if (!existsSync(target)) {
        broken.push(`${relative(root, page.file)}: ${relative(root, target)}`)
        continue
      }
      const another = read(target)
      found.push(another)
      // It grows while it is walked.
      pages.push(another)
    }
  }
  if (broken.length) throw new Error(`links to files that are not there:\n  ${broken.join('\n  ')}`)
  return found
}

/** The files and folders that a page links to, or that a folder has. */
function links({ file, files, text }) {
  if (files) return files
  if (!file.endsWith('.md')) return []
  return parser
    .parse(text, {})
    .flatMap(({ children }) => children ?? [])
    .flatMap((token) => {
      const href = token.type === 'link_open' && token.attrGet('href')
      if (!href || /^[a-z]+:|^#/i.test(href)) return []
      return resolve(dirname(file), decodeURI(href.replace(/#.*/, '')))
    })
}

const isFolder = (path) => statSync(path).isDirectory()
export const language = (file) => ({ py: 'python', mjs: 'js' })[extname(file).slice(1)] ?? extname(file).slice(1)
