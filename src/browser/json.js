// Reads members of JSON at dotted paths, as texts, numbers or times. Inherited members are ignored.

// Captured on import, so that a script that patches it later does not see responses with tokens.
const { parse: parseText } = JSON

/**
 * Reads the payload of a JWT: `iat`, `exp`, and the claim that names the user, as a text; undefined if it is not a JSON
 * object. A NumericDate is a number (RFC 7519, 2), so a quoted one is ignored. A user is named by a string or a number.
 * @param {string} text @param {string} subject
 */
export function claims(text, subject) {
  const json = parse(text)
  if (!isObject(json) || Array.isArray(json)) return undefined
  const user = own(json, subject)
  return { iat: own(json, 'iat'), exp: own(json, 'exp'), subject: typeof user === 'number' ? `${user}` : user }
}

/** A value as text, so that 40101 equals "40101". For an object, only its type. */
const say = (value) => (isObject(value) ? typeof value : `${value}`)

/**
 * The values at a path, as texts. `*` in the path matches each member of a list or an object. A number matches each
 * entry of a list, because the errors of a batch come in any order. Missing values and `null` are left out.
 */
export function all(json, path) {
  const isEach = (value, name) => name === '*' || (Array.isArray(value) && /^\d+$/.test(name))
  let found = [json]
  for (const name of path) {
    found = found.flatMap((value) =>
      !isObject(value) ? [] : isEach(value, name) ? Object.values(value) : [own(value, name)],
    )
  }
  return found.filter((value) => value !== undefined && value !== null).map(say)
}

/**
 * Whether JSON says explicitly that there is no session: `null`; or if `place` is the place of a token, `{}`, or `null`
 * at that place or above it. Not if it has an `error`.
 * @param {unknown} json @param {string} place
 */
export function isNone(json, place) {
  if (json === null) return true
  if (
    !place ||
    !isObject(json) ||
    Array.isArray(json) ||
    (own(json, 'error') ?? null) !== null ||
    first(json, place) !== undefined
  )
    return false
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

/** @param {unknown} value @returns {value is Record<string, any>} */
const isObject = (value) => typeof value === 'object' && value !== null
// Inherited members are ignored.
export const own = (value, name) => Object.getOwnPropertyDescriptor(value, name)?.value
/** The value at a path. */
export const walk = (value, path) =>
  path.reduce((value, name) => (isObject(value) ? own(value, name) : undefined), value)
export const paths = (place) => place.split(' | ').map((dotted) => dotted.split('.'))
/** The first value of several places that is not empty, because servers also send empty tokens. */
export const first = (value, place) =>
  paths(place)
    .map((path) => walk(value, path))
    .find((found) => (found ?? '') !== '')

/** Deletes the value at a path. */
export function take(value, path) {
  const last = path.pop()
  const parent = walk(value, path)
  if (isObject(parent)) delete parent[last]
}

/**
 * Deletes every text that contains one of these tokens as a word, because servers send the same token under several
 * names, or after a scheme.
 */
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

/** A number, which some servers send as a string. */
export function number(value) {
  const number = typeof value === 'string' && value.trim() ? Number(value) : value
  return Number.isFinite(number) ? number : undefined
}

/** A number, or the seconds since the epoch of a date and time (RFC 3339, 5.6). A time without a zone is ignored. */
export function moment(value) {
  const isDate = typeof value === 'string' && /^\d+-\d+-\d+[T ].+(Z|[+-]\d\d:?\d\d)$/i.test(value)
  return number(isDate ? Date.parse(value.replace(' ', 'T')) / 1000 : value)
}
