// The source maps in dist/. All share one copy of the sources, in dist/source/, and they map lines, not columns. Otherwise they would be as
// large as the rest of the package.

import { decodedMappings, encodedMap, TraceMap } from '@jridgewell/trace-mapping'

/** Returns the map to publish (`lines`), and the sources that it names, each with its path from the map (`copies`). */
export function published(/** @type {any} */ { sources, sourcesContent, mappings }) {
  const paths = sources.map(publishedPath)
  const kept = paths.filter(Boolean)
  const segment = ([column, source, line, sourceColumn]) =>
    paths[source] ? [column, kept.indexOf(paths[source]), line, sourceColumn] : [column]
  const isNews = ([, source, line], index, all) => {
    const [, lastSource, lastLine] = all[index - 1] ?? []
    return source !== lastSource || line !== lastLine
  }
  const byLine = decodedMappings(new TraceMap({ version: 3, names: [], sources, mappings })).map((line) =>
    line.map(segment).filter(isNews),
  )
  const map = encodedMap(new TraceMap({ version: 3, names: [], sources: kept, mappings: byLine }))
  return {
    lines: JSON.stringify(map),
    copies: paths.flatMap((path, index) => (path ? [[path, sourcesContent[index]]] : [])),
  }
}

/** Where a source is published, or undefined if it is generated: nobody reads wasm-bindgen's glue or the packed WebAssembly. */
function publishedPath(source) {
  if (source.startsWith('core:')) return undefined
  // wasm-bindgen puts the crate's modules into a directory whose name has a hash.
  const path = source.replace(/\.\.\/(src|generated\/snippets\/tokenkeep-\w+\/src)\//, (_, from) =>
    from === 'src' ? 'source/' : 'source/crate/',
  )
  if (path === source) throw new Error(`maps.mjs: a source outside src/ and the crate: ${source}`)
  return path
}
