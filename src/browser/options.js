// Reads the options and arguments that JavaScript gave, and holds them to their types. An error names the option, what it
// takes and what it got; a value that might be a secret is named by its type. What is right in type, yet wrong, is for
// `core/options.rs` to say. Each function gives a flat list, which `options.rs` takes off in the same order; undefined is
// what was left out. Each throws a text. What an object inherits is no option: a polluted prototype must not name who gets the token.

/** @param {unknown} given */
export function options(given) {
  if (given === undefined) given = {}
  const all = members('options', '', given, 'refresh logout apis attach unauthorized ended stepUp rejected adopt response csrf refreshToken refreshBefore tabs restore exposeToken name subject sessionHint login offline isolation dpop')
  const { refresh, isolation = 'page' } = all
  expect(isolation === 'page', 'isolation', "'page' here, and its other values in tokenkeep/isolated", isolation)
  if (refresh === undefined) {
    throw 'option `refresh` is missing; it takes the URL of the refresh endpoint, an object with `url`, a function, or `false`'
  }
  const group = (name, known) => some(name, all[name], known)
  const response = group('response', 'accessToken refreshToken expiresIn expiresAt sessionExpiresIn')
  const { header } = group('adopt', 'header')
  const login = group('login', 'timeout incomplete')
  const isEndpoint = refresh !== false && typeof refresh !== 'function'
  const hooks = [isEndpoint ? undefined : refresh]
  return [
    isEndpoint ? endpoint('refresh', refresh, hooks) : hooks.push(undefined) && undefined,
    isEndpoint ? undefined : +!refresh,
    endpoint('logout', all.logout, hooks, ' success send'),
    list('apis', all.apis, 'a list of URLs', url),
    ...attach(all.attach),
    ...['unauthorized', 'ended', 'stepUp', 'rejected'].map((name) => rules(name, all[name])),
    text('adopt.header', header, all.adopt),
    ...['accessToken', 'refreshToken', 'expiresIn', 'expiresAt', 'sessionExpiresIn'].map((name) => oneOrMore(`response.${name}`, response[name], 'dotted path', string)?.join(' | ')),
    ...csrf('csrf', all.csrf),
    ...carrier(all.refreshToken),
    number('refreshBefore', all.refreshBefore),
    choice('tabs', all.tabs, ['share', 'lock', 'off']),
    choice('restore', all.restore, ['lazy', 'eager', 'manual']),
    all.exposeToken === undefined ? undefined : +expect(typeof all.exposeToken === 'boolean', 'exposeToken', '`true` or `false`', all.exposeToken),
    text('name', all.name),
    text('subject', all.subject),
    text('sessionHint', all.sessionHint),
    number('login.timeout', login.timeout),
    rules('login.incomplete', login.incomplete),
    choice('offline', all.offline, ['auto', 'send', 'reject']),
    dpop(all.dpop),
    hooks,
  ]
}

/**
 * What is said of an option that is right in type, yet wrong, and what it got: what stands there, or where the object for
 * it could have stood. A number is told: those out of a range are no secrets.
 * @param {any} given @param {string} said
 */
export function got(given, said) {
  const names = said.split('`')[1].split('.')
  const value = names.reduce((value, name) => (isRecord(value) ? own(value)[name] : value), given)
  return `${said}, and got ${typeof value === 'number' ? value : kind(value)}`
}

/** The argument of `setTokens`. @param {any} given */
export function tokens(given) {
  const hold = (isRight, name, takes, got) => {
    if (!isRight) throw `setTokens: ${name} takes ${takes}, and got ${kind(got)}`
  }
  hold(typeof given === 'object' && given, 'it', 'an object', given)
  const { accessToken, expiresIn, refreshToken } = own(given)
  hold(expiresIn == null || typeof expiresIn === 'number', 'expiresIn', 'a number of seconds', expiresIn)
  hold(typeof accessToken === 'string', 'accessToken', 'a string', accessToken)
  hold(refreshToken == null || typeof refreshToken === 'string', 'refreshToken', 'a string', refreshToken)
  return [accessToken, expiresIn, refreshToken]
}

/** URL, method, headers (name after value), body as text, body as fields, timeout, credentials, csrf, statuses, token. */
function endpoint(name, given, hooks, more = '') {
  if (given === undefined) return given
  const short = url(given)
  if (short !== undefined) return [short]
  const all = members(name, `${name}.`, given, `url method headers body timeout credentials csrf${more}`)
  const at = (member) => `${name}.${member}`
  const { body, headers } = all
  const isText = typeof body === 'string'
  const isRead = typeof headers === 'function'
  hooks[name === 'refresh' ? 1 : 2] = isRead ? headers : undefined
  return [
    expect(url(all.url) !== undefined, at('url'), 'a URL', all.url) && url(all.url),
    text(at('method'), all.method),
    isRead ? undefined : record(at('headers'), headers, 'an object of strings, or a function that gives one'),
    isText ? body : undefined,
    isText ? undefined : record(at('body'), body, 'a string, or an object of strings'),
    number(at('timeout'), all.timeout),
    choice(at('credentials'), all.credentials, ['include', 'same-origin', 'omit']),
    ...csrf(at('csrf'), all.csrf),
    list(at('success'), all.success, 'a list of HTTP statuses', status),
    all.send === undefined ? undefined : choice(at('send'), all.send, ['access', 'refresh', 'token']),
  ]
}

/** Cookie and header. */
function csrf(name, given) {
  if (given === undefined) return [undefined, undefined]
  const { cookie, header } = members(name, `${name}.`, given, 'cookie header')
  return [text(`${name}.cookie`, cookie, true), text(`${name}.header`, header, true)]
}

/** Header, scheme, parameter of the URL, whether it is a cookie, csrf. */
function attach(given = {}) {
  const has = (name) => isRecord(given) && own(given)[name] !== undefined
  const all = members('attach', 'attach.', given, has('query') ? 'query' : has('cookie') ? 'cookie csrf' : 'header scheme query cookie')
  const flag = has('cookie') ? +expect(all.cookie === true, 'attach.cookie', '`true`', all.cookie) : undefined
  return [text('attach.header', all.header), text('attach.scheme', all.scheme), text('attach.query', all.query), flag, ...csrf('attach.csrf', all.csrf)]
}

/** Of each rule: statuses; path and values of the body, and whether it is absent; header; challenges; whether it is of a redirect, or of no answer. */
function rules(name, given) {
  if (given === undefined) return given
  const isList = Array.isArray(given)
  return (isList ? [...given] : [given]).map((rule, i) => {
    const at = isList ? `${name}[${i}]` : name
    const all = members(at, `${at}.`, rule, 'status body header challenge' + (name === 'login.incomplete' ? '' : ' redirected') + (name === 'unauthorized' ? ' networkError' : ''))
    const body = some(`${at}.body`, all.body, 'path equals absent')
    const header = some(`${at}.header`, all.header, 'name equals')
    const flag = (name, value) => value === undefined ? undefined : +expect(value === true, `${at}.${name}`, '`true`', value)
    const values = (name, equals) => oneOrMore(`${at}.${name}.equals`, equals, 'string, number or boolean', scalar)
    return [
      oneOrMore(`${at}.status`, all.status, 'HTTP status', status),
      text(`${at}.body.path`, body.path, all.body),
      values('body', body.equals),
      flag('body.absent', body.absent),
      text(`${at}.header.name`, header.name, all.header),
      values('header', header.equals),
      oneOrMore(`${at}.challenge`, all.challenge, 'string', string),
      flag('redirected', all.redirected),
      flag('networkError', all.networkError),
    ]
  })
}

/** Which kind it is, the name of the field, and its scheme. */
function carrier(given) {
  const takes = "'cookie', `{ json: field }`, `{ form: field }` or `{ header: name, scheme? }`"
  if (given === undefined || given === 'cookie') return [undefined, undefined, undefined]
  expect(typeof given !== 'string', 'refreshToken', takes, given)
  const all = members('refreshToken', 'refreshToken.', given, 'json form header scheme')
  const scheme = text('refreshToken.scheme', all.scheme)
  const set = ['json', 'form', 'header'].filter((name) => all[name] !== undefined)
  const [name] = set
  expect(set.length === 1 && (name === 'header' || scheme === undefined), 'refreshToken', takes, given)
  return [name, text(`refreshToken.${name}`, all[name]), scheme]
}

/** Whether its keys are in memory. */
function dpop(given) {
  if (given === undefined || given === false) return undefined
  if (given === true) return 0
  const takes = "`true`, `false` or `{ keys: 'memory' }`"
  expect(isRecord(given), 'dpop', takes, given)
  expect(members('dpop', 'dpop.', given, 'keys').keys === 'memory', 'dpop', takes, given)
  return 1
}

function expect(isRight, name, takes, got) {
  if (!isRight) throw `option \`${name}\` takes ${takes}, and got ${kind(got)}`
  return got
}

/** The members of an object of which all names are known. */
function members(name, prefix, given, known) {
  expect(isRecord(given), name, 'an object', given)
  for (const key of Object.keys(given)) {
    if (!known.split(' ').includes(key)) throw `option \`${prefix}${key}\` is unknown; known are ${known.replaceAll(' ', ', ')}`
  }
  return own(given)
}

/** The same of an object that may be left out: it has none, then. */
function some(name, given, known) {
  return given === undefined ? own({}) : members(name, `${name}.`, given, known)
}

/** An object's own members, of an object that inherits nothing. */
function own(given) {
  return { __proto__: null, ...given }
}

/** `needed`: anything but undefined makes a value that is left out an error. */
function text(name, given, needed) {
  return given === undefined && needed === undefined ? given : expect(typeof given === 'string', name, 'a string', given)
}

function number(name, given) {
  return given === undefined ? given : expect(typeof given === 'number', name, 'a number of milliseconds', given)
}

/** The place of the value among the choices. */
function choice(name, given, choices) {
  const at = choices.indexOf(given)
  // A word out of a short list is no secret: it is quoted.
  const got = typeof given === 'string' ? `'${given.slice(0, 40)}'` : kind(given)
  if (given !== undefined && at < 0) throw `option \`${name}\` takes '${choices.join("', '")}', and got ${got}`
  return Math.max(at, 0)
}

/** A list, its entries read by `read`; undefined is what is none. */
function list(name, given, takes, read, needed) {
  if (given === undefined && !needed) return given
  const entries = Array.isArray(given) && given.map(read)
  expect(entries && !entries.includes(undefined), name, takes, given)
  return entries
}

/** The same, where one entry may stand for a list of one. */
function oneOrMore(name, given, what, read) {
  const entries = (Array.isArray(given) ? given : [given]).map(read)
  return given === undefined ? given : expect(!entries.includes(undefined), name, `a ${what}, or a list of them`, given) && entries
}

/** A record of strings, as a list: name after value. */
function record(name, given, takes) {
  if (given === undefined) return given
  expect(isRecord(given) && Object.values(given).every((value) => typeof value === 'string'), name, takes, given)
  return Object.entries(given).flat()
}

function string(value) {
  return typeof value === 'string' ? value : undefined
}

function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A URL: a string, or an object of the class `URL`. */
function url(value) {
  return typeof value === 'string' ? value : globalThis.URL && value instanceof URL ? value.href : undefined
}

function status(value) {
  return Number.isInteger(value) && value >= 200 && value < 600 ? value : undefined
}

function scalar(value) {
  return ['string', 'number', 'boolean'].includes(typeof value) ? `${value}` : undefined
}

/** What a wrong value is, by its type: the value itself may be a secret. */
function kind(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  const name = typeof value
  return (name === 'undefined' ? '' : name === 'object' ? 'an ' : 'a ') + name
}
