// Makes the site: `node build.mjs <folder>`. Fails where a link is broken.

import { basename, join } from 'node:path'
import { Application, Comment, Converter, DocumentReflection, Renderer } from 'typedoc'
import { check } from './check.mjs'
import { findEntries } from './entries.mjs'
import { writeText } from './llms.mjs'
import { prepare } from './markdown.mjs'
import { findPages, front, language, read, root } from './pages.mjs'
import { router, theme } from './theme.mjs'

const [out] = process.argv.slice(2)
if (!out) throw new Error('usage: node build.mjs <folder>')

const own = (path) => join(import.meta.dirname, path)
const entries = findEntries()
const { sections, outside } = findPages()
const pages = [...sections.flatMap(({ pages }) => pages), ...outside]
const isMarkdown = ({ file }) => file.endsWith('.md')

const app = await Application.bootstrap(
  {
    name: 'tokenkeep',
    entryPoints: entries.map(({ file }) => file),
    tsconfig: join(root, 'pkg/tsconfig.json'),
    // The package's own compiler checks them, which is newer than the one that TypeDoc knows.
    skipErrorChecking: true,
    readme: front,
    projectDocuments: pages.filter(isMarkdown).map(({ file }) => file),
    includeVersion: true,
    excludeInternal: true,
    // What TokenError has of Error, and an event of Event, is said elsewhere.
    excludeExternals: true,
    disableSources: true,
    includeHierarchySummary: false,
    hideGenerator: true,
    searchInComments: true,
    searchInDocuments: true,
    searchGroupBoosts: { Documents: 6 },
    customCss: own('style.css'),
    favicon: own('favicon.svg'),
    router: 'site',
    theme: 'site',
    highlightLanguages: [
      'angular-ts',
      'astro',
      'bash',
      'css',
      'diff',
      'docker',
      'html',
      'http',
      'ini',
      'java',
      'js',
      'json',
      'jsonc',
      'jsx',
      'nginx',
      'python',
      'rust',
      'sql',
      'svelte',
      'toml',
      'ts',
      'tsx',
      'vue',
      'xml',
      'yaml',
    ],
    ignoredHighlightLanguages: ['text', 'txt', 'mermaid'],
    validation: { notExported: false, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
    markdownItLoader: prepare,
  },
  [],
)

const documents = new Map()
const urls = new Map()
const byFile = new Map(pages.map((page) => [page.file, page]))

function take(document, page) {
  document.name = page.title
  documents.set(page, document)
  urls.set(document, page.url)
}

app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
  const page = byFile.get(document.project.files.getReflectionPath(document))
  if (page) take(document, page)
})
// What is no Markdown is shown as it is.
app.converter.on(Converter.EVENT_BEGIN, ({ project }) => {
  for (const page of pages.filter((page) => !isMarkdown(page))) {
    const document = new DocumentReflection(
      page.title,
      project,
      page.files ? list(project, page) : [{ kind: 'text', text: code(page) }],
      {},
    )
    take(document, page)
    project.addChild(document)
    project.registerReflection(document, undefined, page.file)
  }
})

const code = ({ title, file, text }) => `# ${title}\n\n\`\`\`\`${language(file)}\n${text}\`\`\`\`\n`

function list({ files: registry }, { title, files }) {
  const items = files.flatMap((file) => [
    { kind: 'text', text: `- [${basename(file)}](` },
    { kind: 'relative-link', text: basename(file), target: registry.registerAbsolute(file).target },
    { kind: 'text', text: ')\n' },
  ])
  return [{ kind: 'text', text: `# ${title}\n\n` }, ...items]
}

const project = await app.convert()
if (!project) process.exit(1)
const modules = new Map(
  project.children.map((module) => [join(root, 'pkg', project.getSymbolIdFromReflection(module).packagePath), module]),
)
project.children = entries.map(({ name, file, note }) =>
  Object.assign(modules.get(file), { name, comment: new Comment([{ kind: 'text', text: note }]) }),
)
// The order is that of package.json; the navigation and the list of the entries know the rest.
project.groups = undefined
app.validate(project)

// Whoever searches looks for an answer rather than for code of ours.
for (const page of outside) documents.get(page).relevanceBoost = 0.1

const listed = (title, pages) => ({ title, documents: pages.map((page) => documents.get(page)) })
const [start, ...others] = sections
app.renderer.defineRouter('site', router(urls))
app.renderer.defineTheme(
  'site',
  theme(
    [listed('', start.pages), ...others.map(({ title, pages }) => listed(title, pages))],
    listed('From the repository', outside.filter(isMarkdown)),
  ),
)
const addresses = new Map()
app.renderer.on(Renderer.EVENT_END, ({ pages }) =>
  pages.forEach(({ model, url }) => model.parent === project && addresses.set(model.name, url)),
)
await app.generateDocs(project, out)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)
writeText(out, { front: read(front), sections, outside, entries, url: (name) => addresses.get(name) })
check(out)
