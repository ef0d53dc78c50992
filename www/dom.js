// @ts-check
// The one way the page's parts find their elements.

/**
 * The element with this id, which the page has.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function $(id, kind = /** @type {any} */ (Element)) {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no #${id}.`)
  return found
}

/** @param {string} name @param {string} [text] */
export function make(name, text = '') {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
