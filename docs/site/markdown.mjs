// What TypeDoc's Markdown is told beside what it knows.

import { draw } from './diagrams.mjs'

export function prepare({ options, renderer }) {
  options.highlight = atLeisure(options.highlight)

  // A folder is no page where no server looks for its index.
  renderer.rules.link_open = (tokens, index, options, env, self) => {
    const href = tokens[index].attrGet('href')
    tokens[index].attrSet('href', href.replace(/^((\.\.?\/)+)(?=#|$)/, '$1index.html'))
    return self.renderToken(tokens, index, options)
  }

  const { fence } = renderer.rules
  renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index]
    return info.trim() === 'mermaid' ? draw(content) : fence(tokens, index, ...rest)
  }
}

/** The highlighter gives a line up that takes it half a second, as on a busy machine; but the same pages must come out of the same sources. */
function atLeisure(work) {
  return (...args) => {
    const { now } = Date
    Date.now = () => 0
    try {
      return work(...args)
    } finally {
      Date.now = now
    }
  }
}
