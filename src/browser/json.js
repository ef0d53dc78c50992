// Reads JSON: members at dotted paths, and what stands there as a text, a number or a moment. What an object inherits is no
// part of it.

// As it was when this was imported: a script that patches it later is not handed answers with tokens.
const { parse: parseText } = JSON

/**
 * What the payload of a JWT says of itself: `iat`, `exp`, and as a text the claim that names the user; undefined if it is no JSON
 * object. A NumericDate is a number (RFC 7519, 2): one that is quoted says nothing. A user is named by a string or a number.
 * @param {string} text @param {string} subject
 */
export function claims(text, subject) {
  const json = parse(text)
  if (!isObject(json) || Array.isArray(json)) return undefined
  const user = own(json, subject)
  return [own(json, 'iat'), own(json, 'exp'), typeof user === 'number' ? `${user}` : user]
}

/** A value as text, so that 40101 equals "40101". An object is there, and that is all. */
const say = (value) => (isObject(value) ? typeof value : `${value}`)

/**
 * What stands at a path, as texts; `*` in it is each member of a list or an object, and so is a number of a list: the errors of a
 * batch come in any order. Nothing and `null` are none.
 */
export function all(json, path) {
  const isEach = (value, name) => name === '*' || (Array.isArray(value) && /^\d+$/.test(name))
  let found = [json]
  for (const name of path) {
    found = found.flatMap((value) => (!isObject(value) ? [] : isEach(value, name) ? Object.values(value) : [own(value, name)]))
  }
  return found.filter((value) => value !== undefined && value !== null).map(say)
}

/**
 * Whether a JSON text says outright that there is no session: `null`; or where a token is looked for, `{}`, or `null` at its place or
 * on the way there. Not if it tells of an error.
 * @param {unknown} json @param {string} place
 */
export function isNone(json, place) {
  if (json === null) return true
  if (!place || !isObject(json) || Array.isArray(json) || (own(json, 'error') ?? null) !== null || first(json, place) !== undefined) return false
  const isNull = (path) => path.some((_, i) => walk(json, path.slice(0, i + 1)) === null)
  return Object.keys(json).length === 0 || paths(place).some(isNull)
}

export function parse(text) {
  try {
    return parseText(text)
  } catch {
    return undefined
  }
}

/** @type {(value: unknown) => value is Record<string, any>} */
const isObject = (value) => typeof value === 'object' && value !== null
// What an object inherits is no part of the answer.
export const own = (value, name) => Object.getOwnPropertyDescriptor(value, name)?.value
/** What stands at a path. */
export const walk = (value, path) => path.reduce((value, name) => (isObject(value) ? own(value, name) : undefined), value)
export const paths = (place) => place.split(' | ').map((dotted) => dotted.split('.'))
/** Of several places, what stands at the first that holds something: servers send empty tokens, too. */
export const first = (value, place) => paths(place).map((path) => walk(value, path)).find((found) => (found ?? '') !== '')

/** Takes the value at a path out of its object. */
export function take(value, path) {
  const last = path.pop()
  const parent = walk(value, path)
  if (isObject(parent)) delete parent[last]
}

/** Takes out every text that is one of these tokens, or has it after a scheme: servers send the same token under several names. */
export function strip(json, tokens) {
  const isToken = (text) => typeof text === 'string' && text.split(' ').some((word) => word && tokens.includes(word))
  const left = [json]
  while (left.length) {
    const value = left.pop()
    if (!isObject(value)) continue
    for (const name of Object.keys(value)) {
      if (isToken(value[name])) delete value[name]
      else left.push(value[name])
    }
  }
}

/** A number, or a text that is one: some servers quote. */
export function number(value) {
  const number = typeof value === 'string' && value.trim() ? Number(value) : value
  return Number.isFinite(number) ? number : undefined
}

/** The same; or the seconds since the epoch of a date and time (RFC 3339, 5.6). Without a zone it says nothing. */
export function moment(value) {
  const isDate = typeof value === 'string' && /^\d+-\d+-\d+[T ].+(Z|[+-]\d\d:?\d\d)$/i.test(value)
  return number(isDate ? Date.parse(value.replace(' ', 'T')) / 1000 : value)
}
