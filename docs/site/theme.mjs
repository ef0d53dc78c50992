// How TypeDoc shows the pages: where each is in the site, and what the navigation says.

import { DefaultTheme, DefaultThemeRenderContext, JSX, PageKind, ReflectionKind, StructureRouter } from 'typedoc'

// The page of all entries.
const API = 'api'
const REFERENCE = 'API reference'

/** Pages are where they are in docs/, and the reference is a folder of its own. `urls` are those of the documents, by reflection. */
export function router(urls) {
  return class extends StructureRouter {
    getIdealBaseName(reflection) {
      return urls.get(reflection) ?? `${API}/${super.getIdealBaseName(reflection)}`
    }

    getFileName(name) {
      return super.getFileName(name === 'modules' ? API : name)
    }

    // What a search finds: nothing twice, and not the members of presets, which have the names of the options.
    getLinkTargets() {
      return super
        .getLinkTargets()
        .filter((target) => !target.isReference() && !target.parent?.kindOf(ReflectionKind.TypeLiteral))
    }
  }
}

/** `sections` are `{ title, documents }`, in their order; those of one without a title stand by themselves. `rest` comes after the reference. */
export function theme(sections, rest) {
  return class extends DefaultTheme {
    ContextClass = Context

    buildNavigation(project) {
      const page = (document) => ({
        text: document.name,
        path: this.router.getFullUrl(document),
        kind: ReflectionKind.Document,
      })
      const section = ({ title, documents }) =>
        title ? { text: title, children: documents.map(page) } : documents.map(page)
      const modules = super.buildNavigation(project).filter(({ kind }) => kind === ReflectionKind.Module)
      const reference = { text: REFERENCE, path: this.router.getFullUrl(project), children: modules }
      return [...sections.flatMap(section), reference, section(rest)]
    }
  }
}

class Context extends DefaultThemeRenderContext {
  constructor(...args) {
    super(...args)
    const { header, pageNavigation, reflectionTemplate } = this
    const heading = () =>
      JSX.createElement('div', { class: 'tsd-page-title' }, JSX.createElement('h1', null, REFERENCE))
    // A page of ours begins with its own heading: it needs no other, and no link to it.
    this.header = (page) =>
      isOurs(page) ? JSX.createElement(JSX.Fragment, null) : page.model.isProject() ? heading() : header(page)
    this.pageNavigation = (page) => {
      if (isOurs(page))
        for (const section of page.pageSections) section.headings = section.headings.filter(({ level }) => level > 1)
      return pageNavigation(page)
    }
    this.reflectionTemplate = (page) =>
      page.model.isProject() ? this.listed(page.model.children) : reflectionTemplate(page)
  }

  /** The entries, each with what it is for. */
  listed(modules) {
    const items = modules.flatMap((module) => [
      { kind: 'text', text: `- [${module.name}](${this.urlTo(module)}): ` },
      ...module.comment.summary,
      { kind: 'text', text: '\n' },
    ])
    return JSX.createElement(
      'div',
      { class: 'tsd-panel tsd-typography' },
      JSX.createElement(JSX.Raw, { html: this.markdown(items) }),
    )
  }
}

const isOurs = ({ pageKind }) => pageKind === PageKind.Document || pageKind === PageKind.Index
