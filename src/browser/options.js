// Checks the options and fills in the defaults, for apps in JavaScript and in Rust. (`written.rs` converts the
// `Options` of an app in Rust.) An error names the option, what it takes and what it got. Of a value that might be a
// secret, it names the type only. Inherited members are ignored, so that a polluted prototype cannot decide who gets
// the token. The exported functions throw a string.

import { notice } from './notice.js'
import { origin, resolve } from './page.js'

/**
 * Checks one option and returns its final form. Throws a string that begins with `name`. Relative URLs are resolved
 * against `base`.
 * @typedef {(name: string, given: any, base?: string) => any} Read
 */

/** The longest time that timers of the platform can wait, in milliseconds (HTML, 8.6). */
const MOST_MS = 2_147_483_647

const isText = (value) => typeof value === 'string'
const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
/** `token` (RFC 9110, 5.6.2). */
const isToken = (value) => isText(value) && /^[!#-'*+.^-`|~\w-]+$/.test(value)
/** `field-value` (RFC 9110, 5.5), without the obsolete bytes above ASCII. */
const isFieldValue = (value) => isText(value) && /^[\t -~]*$/.test(value)
const isFilled = (value) => isText(value) && value !== ''
/** Member names joined by dots. */
const isPath = (value) => isText(value) && value.split('.').every((name) => /^ *[^ |][^|]*$/.test(name))
const isRecordOf = (value, isName, isValue) =>
  isRecord(value) && Object.entries(value).every(([name, value]) => isName(name) && isValue(value))

/** One value. `takes` says in words what `isRight` accepts. @returns {Read} */
const one = (takes, isRight) => (name, given) => (isRight(given) ? given : refuse(name, takes, given))

/** One value, or a list of them. @returns {Read} */
const many = (takes, isRight) => (name, given) => {
  const entries = Array.isArray(given) ? [...given] : [given]
  return entries.every(isRight) ? entries : refuse(name, takes, given)
}

/** An option with a default. @param {Read} read @param {any} [fallback] @returns {Read} */
const maybe = (read, fallback) => (name, given, base) => (given === undefined ? fallback : read(name, given, base))

/** An object without unknown members. @param {Record<string, Read>} known @returns {Read} */
const group = (known) => (name, given, base) => {
  if (!isRecord(given)) refuse(name || 'options', 'an object', given)
  const prefix = name === '' ? '' : `${name}.`
  const names = Object.keys(known)
  for (const key of Object.keys(given)) {
    if (!names.includes(key)) throw `option \`${prefix}${key}\` is unknown; known are ${names.join(', ')}`
  }
  const all = ownMembers(given)
  return ownMembers(Object.fromEntries(names.map((key) => [key, known[key](prefix + key, all[key], base)])))
}

/** One of several words; the first is the default. @returns {Read} */
const choice =
  (...words) =>
  (name, given = words[0]) => {
    if (words.includes(given)) return given
    // A word is not a secret, so the error quotes it.
    return refuse(name, `'${words.join("', '")}'`, given, isText(given) ? `'${given.slice(0, 40)}'` : undefined)
  }

/** Milliseconds. @param {number} least @param {number} [fallback] @returns {Read} */
const time = (least, fallback) => (name, given) => {
  if (given === undefined) return fallback
  const isNumber = typeof given === 'number'
  // A number is not a secret, so the error shows it.
  return isNumber && given >= least && given <= MOST_MS
    ? given
    : refuse(name, `milliseconds, from ${least} to ${MOST_MS}`, given, isNumber ? `${given}` : undefined)
}

const header = one('the name of a header field', isToken)
const cookie = one('the name of a cookie', isToken)
const scheme = one('an authentication scheme, or an empty string', (value) => value === '' || isToken(value))
const set = maybe(one('`true`', (value) => value === true))
const statuses = many(
  'HTTP statuses, from 200 to 599',
  (value) => Number.isInteger(value) && value >= 200 && value < 600,
)
const equals = maybe(
  (name, given) =>
    many('a string, number or boolean, or a list of them', (value) =>
      ['string', 'number', 'boolean'].includes(typeof value),
    )(name, given).map(String),
  [],
)
/** Double submit. */
const csrf = maybe(group({ cookie, header }))

/**
 * The place of a member in a JSON response. The empty string means nowhere.
 * @param {string} fallback @param {boolean} [isNeeded] @returns {Read}
 */
const paths = (fallback, isNeeded) =>
  maybe((name, given) => {
    const takes = 'member names joined by dots, or a list of such paths'
    const all = many(takes, isText)(name, given).join(' | ')
    return (all === '' && !isNeeded) || all.split('|').every(isPath) ? all : refuse(name, takes, given)
  }, fallback)

/** @type {Read} The URL of a call, as the platform serialises it. */
const callUrl = (name, given, base) => {
  // The empty string would resolve to the page itself.
  const href = isFilled(given) && resolve(given, base)?.split('#')[0]
  return href && /^https?:\/\/[^/?#@]+\//.test(href)
    ? href
    : refuse(name, 'an http or https URL, which may be relative in a page', given)
}

/** A host without its scheme, or a pattern. It would be resolved as a relative path, which nobody means. */
const LIKE_HOST = /^([^/:]*:\d+|(localhost|[^/:]*\.[a-z]{2,}|(\d*\.){3}\d*)(:[^/]*)?)(\/|$)|\*/i

/** @type {Read} Who may receive the token. */
const apis = (name, given, base) => {
  const hrefs =
    Array.isArray(given) && [...given].map(url).map((text) => text && !LIKE_HOST.test(text) && resolve(text, base))
  if (hrefs && hrefs.every((href) => href && /^https?:\/\/[^/?#@]+\/[^?#]*$/.test(href))) return hrefs
  return refuse(
    name,
    'a list of http or https URLs without query, fragment and `*`; a host needs its scheme, a path begins with `/` or `./`',
    given,
  )
}

const ENDPOINT = {
  url: (name, given, base) => callUrl(name, url(given) ?? given, base),
  method: maybe(
    (name, given) =>
      one('GET, POST, PUT, PATCH or DELETE', (value) => isText(value) && /^(GET|POST|PUT|PATCH|DELETE)$/i.test(value))(
        name,
        given,
      ).toUpperCase(),
    'POST',
  ),
  headers: maybe(
    one(
      'names and values of header fields, or a function that returns them',
      (value) => typeof value === 'function' || isRecordOf(value, isToken, isFieldValue),
    ),
    {},
  ),
  body: maybe(one('a string, or an object of strings', (value) => isText(value) || isRecordOf(value, isText, isText))),
  timeout: time(1, 10_000),
  credentials: choice('include', 'same-origin', 'omit'),
  csrf,
}

/** The refresh or logout call. @param {Record<string, Read>} known @returns {Read} */
const call = (known) => (name, given, base) => {
  const {
    url: href,
    method,
    headers,
    body,
    success,
    send,
    ...rest
  } = group(known)(name, url(given) === undefined ? given : { url: given }, base)
  if (body !== undefined && method === 'GET') refuse(`${name}.body`, 'no value with the method GET', body)
  const pairs = (record) => (isRecord(record) ? Object.entries(record).flat() : undefined)
  return {
    url: href,
    method,
    headers: pairs(headers),
    headersBy: isRecord(headers) ? undefined : headers,
    text: isText(body) ? body : undefined,
    fields: pairs(body),
    ...rest,
    success,
    send,
  }
}

/** @type {Read} A call, a function, or `false`. */
const refresh = (name, given, base) => {
  if (given === undefined)
    throw 'option `refresh` is missing; it takes the URL of the refresh endpoint, an object with `url`, a function, or `false`'
  const isCall = given !== false && typeof given !== 'function'
  return { call: isCall ? call(ENDPOINT)(name, given, base) : undefined, by: isCall ? undefined : given }
}

/** @type {Read} The token goes into a header field, into the URL, or into a cookie that no script sees. */
const attach = (name, given = {}) => {
  const has = (member) => isRecord(given) && ownMembers(given)[member] !== undefined
  // Unreserved characters (RFC 3986, 2.3) are never escaped, so the parameter is always found.
  const query = one(
    'a name of letters, digits, `-`, `.`, `_` and `~`',
    (value) => isText(value) && /^[-.~\w]+$/.test(value),
  )
  /** @type {Record<string, Read>} */
  const known = has('query')
    ? { query }
    : has('cookie')
      ? { cookie: set, csrf }
      : { header: maybe(header, 'Authorization'), scheme: maybe(scheme, 'Bearer'), query: set, cookie: set }
  const all = group(known)(name, given)
  return { header: all.header, scheme: all.scheme, query: all.query, csrf: all.csrf }
}

const FIELDS = ['json', 'form']

/** @type {Read} Where the refresh token travels; `undefined` for a cookie. */
const carrier = (name, given = 'cookie') => {
  if (given === 'cookie') return undefined
  const takes = "'cookie', `{ json: field }`, `{ form: field }` or `{ header: name, scheme? }`"
  if (isText(given)) refuse(name, takes, given)
  const field = maybe(one('the name of a field', isFilled))
  const all = group({ json: field, form: field, header: maybe(header), scheme: maybe(scheme) })(name, given)
  const [kind, ...others] = [...FIELDS, 'header'].filter((kind) => all[kind] !== undefined)
  if (!kind || others.length || (all.scheme !== undefined && kind !== 'header')) refuse(name, takes, given)
  return { in: kind, name: all[kind], scheme: all.scheme }
}

const ANSWER = {
  status: maybe(statuses, []),
  body: maybe(group({ path: one('member names joined by dots', isPath), equals, absent: set })),
  header: maybe(group({ name: header, equals })),
  challenge: maybe(many('a string, or a list of them', isText), []),
}
const CALLED = { ...ANSWER, redirected: set }

/**
 * One rule for responses, or a list of rules.
 * @param {Record<string, Read>} known @param {any} [fallback] @returns {Read}
 */
const rules =
  (known, fallback) =>
  (name, given = fallback) => {
    if (given === undefined) return undefined
    const isList = Array.isArray(given)
    return (isList ? [...given] : [given]).map((rule, i) => {
      const at = isList ? `${name}[${i}]` : name
      const { status, body, header, challenge, redirected, networkError } = group(known)(at, rule)
      if (body?.absent && body.equals.length) refuse(`${at}.body.equals`, 'no values with `absent`', body.equals)
      const isOfAnswers = status.length || body || header || challenge.length || redirected
      if (!isOfAnswers === !networkError)
        refuse(at, 'rules with at least one member; `networkError` stands alone, and only in `unauthorized`', rule)
      return { status, body, header, challenge, redirected, networkError }
    })
  }

/** @type {Read} Where the keys are: `stored` or `memory`; `undefined`: no keys. */
const dpop = (name, given = false) => {
  if (given === false) return undefined
  if (given === true) return 'stored'
  const isKept = isRecord(given) && group({ keys: maybe((_, keys) => keys === 'memory') })(name, given).keys
  return isKept ? 'memory' : refuse(name, "`true`, `false` or `{ keys: 'memory' }`", given)
}

const all = group({
  refresh,
  logout: maybe(
    call({
      ...ENDPOINT,
      success: maybe(
        (name, given) =>
          Array.isArray(given) ? statuses(name, given) : refuse(name, 'a list of HTTP statuses', given),
        [],
      ),
      send: maybe(choice('access', 'refresh', 'token')),
    }),
  ),
  apis: maybe(apis),
  attach,
  ended: rules(CALLED, []),
  stepUp: rules(CALLED, { status: 401, challenge: ['insufficient_user_authentication', 'insufficient_claims'] }),
  unauthorized: rules({ ...CALLED, networkError: set }, { status: 401 }),
  rejected: rules(CALLED),
  adopt: maybe(group({ header })),
  response: (name, given = {}) =>
    group({
      accessToken: paths('access_token', true),
      refreshToken: paths('refresh_token'),
      expiresIn: paths('expires_in'),
      expiresAt: paths(''),
      sessionExpiresIn: paths('refresh_expires_in | refresh_token_expires_in'),
    })(name, given),
  csrf,
  refreshToken: carrier,
  refreshBefore: time(0),
  tabs: choice('share', 'lock', 'off'),
  restore: choice('lazy', 'eager', 'manual'),
  exposeToken: maybe(one('`true` or `false`', (value) => typeof value === 'boolean')),
  name: maybe(one('a string that is not empty', isFilled)),
  subject: maybe(one('the name of a claim', isFilled), 'sub'),
  sessionHint: maybe(cookie),
  login: (name, given = {}) => group({ timeout: time(1, 30_000), incomplete: rules(ANSWER, []) })(name, given),
  offline: choice('auto', 'send', 'reject'),
  dpop,
  isolation: maybe(
    one("'page' here, and its other values if you import tokenkeep/isolated", (value) => value === 'page'),
  ),
})

/**
 * All options and the manager's names; and the places where a response has its tokens, for `hear` in `http.js`.
 * @param {unknown} given  @param {string} [base]  What relative URLs are resolved against.
 */
export function options(given, base) {
  const settled = complete(given, base)
  const { attach, response } = settled
  const places = Object.values(response)
  // The page does not see a token that is in a cookie.
  if (attach.header === undefined && attach.query === undefined) places[0] = ''
  return { ...settled, places }
}

/** All options and the manager's names, checked and completed. @param {any} [given] @param {string} [base] */
export function complete(given = {}, base) {
  const settled = all('', given, base)
  exclude(settled)
  const page = origin()
  if (page !== undefined && page !== 'null') {
    const { call } = settled.refresh
    if (call && !settled.apis && !call.url.startsWith(`${page}/`)) notice(ELSEWHERE)
    settled.apis ??= [`${page}/`]
  }
  return { ...settled, ...identity(settled) }
}

const ELSEWHERE =
  "the refresh endpoint is on another origin, and the option `apis` is not set, so only calls to the page's own origin get the token. Name the origins of your APIs in `apis`."

/** Refuses options that exclude each other. */
function exclude({ refresh: { call }, logout, attach, refreshToken, exposeToken, dpop }) {
  const isBound = dpop !== undefined
  const isHeader = attach.header !== undefined
  if (isBound && !isHeader) refuse('attach', '{ header, scheme } with `dpop`', attach)
  if (exposeToken && isBound)
    refuse('exposeToken', '`false` with `dpop`: the token is useless without a proof', exposeToken)
  if (exposeToken && !isHeader && attach.query === undefined)
    refuse('exposeToken', '`false` with `attach: { cookie }`: no script has the token', exposeToken)
  if (logout?.send === 'access' && (isBound || !isHeader))
    refuse('logout.send', 'the access token only if `attach` puts it in a header field, and without `dpop`', 'access')
  if (FIELDS.includes(refreshToken?.in) && (call?.method === 'GET' || call?.text !== undefined))
    refuse('refreshToken', 'no `json` or `form` if `refresh` has the method GET or a string as `body`', refreshToken)
}

/**
 * The parts of the manager's three names (`core/identity.rs`). The turn is the URL of the refresh endpoint without its
 * query. It is broad, because waiting too often does no harm. The key contains all that decides whose refresh token it
 * is. The share contains all that decides where tokens come from and where they go. Functions cannot be compared, so
 * with functions there is no share unless the app has set `name`.
 */
function identity({
  refresh: { call, by },
  logout,
  apis = [],
  name,
  subject,
  attach,
  dpop,
  adopt,
  response,
  csrf,
  refreshToken,
}) {
  const sent = (call) => call && { ...call, headersBy: 0, timeout: 0, success: 0 }
  const key = [name, sent(call)]
  const share = [key, subject, sent(logout), [...apis].sort(), attach, dpop, adopt, response, csrf, refreshToken]
  const isComparable =
    name !== undefined || ![by, call?.headersBy, logout?.headersBy].some((hook) => typeof hook === 'function')
  const turn = call?.url ?? logout?.url ?? apis[0] ?? ''
  return { turn: turn.split('?')[0], key: say(key), share: isComparable ? say(share) : undefined }
}

/** The argument of `setTokens`. @param {any} given */
export function tokens(given) {
  const hold = (isRight, name, takes, got) => {
    if (!isRight) throw `setTokens: ${name} takes ${takes}, and got ${kind(got)}`
  }
  hold(typeof given === 'object' && given, 'it', 'an object', given)
  const { accessToken, expiresIn, refreshToken } = ownMembers(given)
  hold(expiresIn == null || typeof expiresIn === 'number', 'expiresIn', 'a number of seconds', expiresIn)
  hold(typeof accessToken === 'string', 'accessToken', 'a string', accessToken)
  hold(refreshToken == null || typeof refreshToken === 'string', 'refreshToken', 'a string', refreshToken)
  return { accessToken, expiresIn, refreshToken }
}

/** Throws the error text for a wrong option. @returns {never} */
function refuse(name, takes, given, got = kind(given)) {
  throw `option \`${name}\` takes ${takes}, and got ${got}`
}

/** The type of a wrong value. The value itself may be a secret. */
function kind(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  const name = typeof value
  return (name === 'undefined' ? '' : name === 'object' ? 'an ' : 'a ') + name
}

/** A URL: a string, or an object of the class `URL`. */
function url(value) {
  return isText(value) ? value : globalThis.URL && value instanceof URL ? value.href : undefined
}

/** A copy that inherits nothing. */
function ownMembers(given) {
  return { __proto__: null, ...given }
}

/** A value as a flat list: an object or list is the number of its members, then the members. @returns {unknown[]} */
function flat(value) {
  if (typeof value !== 'object') return [value]
  const all = Object.values(value)
  return [all.length, ...all.flatMap(flat)]
}

/** Writes a value as a string. Two different values never give the same string. */
function say(value) {
  return `${flat(value).map((entry) => JSON.stringify(entry))}`
}
