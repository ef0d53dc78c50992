// Which requests get the token, and in which header. A manager does not reveal its options, so an adapter takes `apis` and
// `attach` again and reads them as the manager does: rule 1, on the URL as the platform parses it.

import { ownBase, pageBase } from '../base.js'
import { covers } from '../covers.js'
import { TokenError } from '../error.js'
import type { TokenManagerOptions } from '../types.js'

/** What an adapter needs to know about requests. */
export interface Target {
  /** The parsed URL, if it may receive the token. */
  covered(url: string): string | undefined
  /** The name of the header that carries the token. */
  readonly header: string
  /** The header's value. */
  value(token: string): string
}

/** Reads the options. Throws a `TokenError` that names a bad option. */
export function target(
  name: string,
  {
    apis,
    attach: { header = 'Authorization', scheme = 'Bearer', query, cookie } = {},
  }: Pick<TokenManagerOptions, 'apis' | 'attach'>,
): Target {
  if (query ?? cookie) throw new TokenError('invalid-option', `${name}: option \`attach\` takes { header, scheme }.`)
  // Undefined on a server, where nothing is sent.
  const base = ownBase()
  let list: URL[]
  try {
    list =
      base === undefined
        ? []
        : ((apis ?? [new URL('/', base)]) as readonly (string | URL)[]).map((api) => {
            const place = parse(`${api}`, base)!
            if (place.search || place.hash) throw 0
            return place
          })
  } catch {
    throw new TokenError(
      'invalid-option',
      `${name}: option \`apis\` takes a list of http and https URLs, without user name, query and fragment.`,
    )
  }
  return {
    covered(url) {
      const place = parse(url, pageBase())
      return place && covers(list, place) ? place.href : undefined
    },
    header,
    value: (token) => (scheme ? `${scheme} ${token}` : token),
  }
}

/** Returns `undefined` for URLs that never get the token, as in the core. */
function parse(url: string, base: string | undefined): URL | undefined {
  try {
    const place = new URL(url, base)
    if (/^https?:$/.test(place.protocol) && !place.username && !place.password) return place
  } catch {
    // Not a URL.
  }
  return
}
