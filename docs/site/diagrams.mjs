// Draws Mermaid's diagrams while the site is built, so that the pages need no script for them. Their colours are the page's
// (style.css), light or dark.

import { renderMermaidSVG } from 'beautiful-mermaid'

let drawn = 0

/** The HTML of a diagram. */
export function draw(source) {
  const id = `diagram-${++drawn}-`
  const svg = renderMermaidSVG(source)
    // It would fetch a font from elsewhere, and its rules would hold for every picture of the page.
    .replace(/<style>[^]*?<\/style>/g, '')
    .replace(/ style="[^"]*"/, '')
    // A page may have two diagrams.
    .replace(/\bid="/g, `id="${id}`)
    .replace(/url\(#/g, `url(#${id}`)
  return `<figure class="diagram">${svg}</figure>\n`
}
