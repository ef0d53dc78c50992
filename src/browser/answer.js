// Reads answers with the platform's own parsers, into flat lists for `answer.rs`. What they mean is decided in Rust.

/**
 * Waits for the answer to a call, and reads it to the end: fulfils with what `answer.rs` reads off, or with undefined if
 * that takes longer than `ms` milliseconds; rejects with what the platform rejects with. The dotted paths say where the
 * tokens are; whoever gets the JSON gets it without them.
 *
 * @param {Request | Promise<Response>} call  A request is torn off when it is late, so that it holds neither connection
 *   nor lock. A promise is of a call that its caller has sent.
 * @param {number} ms @param {string} accessToken @param {string} expiresIn @param {string} refreshToken
 */
export async function hear(call, ms, accessToken, expiresIn, refreshToken) {
  const abort = new AbortController()
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined)
      abort.abort()
    }, ms)
  })
  try {
    return await Promise.race([late, read()])
  } finally {
    clearTimeout(timer)
  }

  async function read() {
    const response = await ('then' in call ? call : fetch(new Request(call, { signal: abort.signal })))
    // A refusal may be its caller's to read: what is read here is a copy.
    const text = await response.clone().text()
    const json = parse(text)
    const date = (name) => number(Date.parse(response.headers.get(name) ?? ''))
    const list = [
      response,
      response.status,
      json,
      text.trim() ? undefined : 0,
      at(json, 'error'),
      at(json, accessToken),
      at(json, refreshToken),
      number(at(json, expiresIn)),
      date('Date'),
      number(response.headers.get('Retry-After')),
      date('Retry-After'),
    ]
    take(json, accessToken)
    take(json, refreshToken)
    return list
  }
}

/**
 * What the payload of a JWT says of itself: `iat`, `exp` and `sub`; undefined if it is no JSON object. A NumericDate is a
 * number (RFC 7519, 2): one that is quoted says nothing.
 * @param {string} text
 */
export function claims(text) {
  const json = parse(text)
  return isObject(json) && !Array.isArray(json) ? [json.iat, json.exp, json.sub] : undefined
}

/** A header field of an answer, where it is there and not hidden by CORS. @param {Response} response @param {string} name */
export function header(response, name) {
  return response.headers.get(name) ?? undefined
}

/**
 * The member of a JSON body, as text, so that 40101 equals "40101". It is read from a copy: the body stays the caller's.
 * @param {Response} response @param {string[]} path
 */
export async function member(response, path) {
  try {
    const value = walk(parse(await response.clone().text()), path)
    return typeof value === 'number' ? `${value}` : value
  } catch {
    // The body broke off, or has been read.
    return undefined
  }
}

/** Lets go of an answer that nobody will read, so that it holds no connection. @param {Response} response */
export function discard(response) {
  // A body that broke off meanwhile has let go, too.
  response.body?.cancel().catch(() => {})
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value) => typeof value === 'object' && value !== null
const walk = (value, path) => path.reduce((value, name) => (isObject(value) ? value[name] : undefined), value)
const at = (value, dotted) => walk(value, dotted.split('.'))

/** Takes the value at a dotted path out of its object. */
function take(value, dotted) {
  const path = dotted.split('.')
  const last = path.pop()
  const parent = walk(value, path)
  if (isObject(parent)) delete parent[last]
}

/** A number, or a text that is one: some servers quote. */
function number(value) {
  const number = typeof value === 'string' && value.trim() ? Number(value) : value
  return Number.isFinite(number) ? number : undefined
}
