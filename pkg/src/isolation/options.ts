// Reads the options that a worker needs before the core has started, and refuses those that a worker cannot support.
// The core checks all types later, so values of a wrong type are skipped here.

import type { Api } from '../covers.js'
import { TokenError } from '../error.js'

type Given = Record<string, unknown>

/** The options that the worker itself needs. */
export interface ParsedOptions {
  /** The options for the core. */
  readonly options: Given
  readonly apis: Api[]
  /** The names of the cookies that the core reads. */
  readonly cookies: string[]
  /** The refresh and logout endpoints: origin and path. */
  readonly own: string[]
  /** The header that may bring a token, in lower case. */
  readonly adopt: string | undefined
}

/** Throws a `TokenError`. */
export function parseOptions(given: Given): ParsedOptions {
  const attach = member(given, 'attach')
  const refuse = (name: string, why: string): never => {
    throw new TokenError('invalid-option', `option \`${name}\` and isolation exclude each other: ${why}`)
  }
  if (given.exposeToken) refuse('exposeToken', 'the token never leaves the worker')
  if (attach.query !== undefined) refuse('attach.query', 'the page could read the token in `Response.url`')
  if (attach.cookie !== undefined) refuse('attach.cookie', 'no script can read the cookie, so it needs no worker')
  if (given.tabs === 'share')
    refuse(
      'tabs',
      "'share' sends the token to all pages of the origin. Use 'lock' or 'off', or `isolation: 'shared-worker'` for one refresh for all tabs",
    )
  const calls = [given.refresh, given.logout]
  const texts = (list: unknown[]) => list.filter((value) => typeof value === 'string')
  const apis = Array.isArray(given.apis) ? given.apis : [location.origin]
  return {
    options: { ...given, tabs: given.tabs ?? 'lock' },
    apis: apis.flatMap((entry): Api[] => {
      const url = parse(entry)
      // A `URL` cannot be cloned.
      return url ? [{ origin: url.origin, pathname: url.pathname }] : []
    }),
    cookies: texts([
      given.sessionHint,
      member(given, 'csrf').cookie,
      ...calls.map((call) => member(call, 'csrf').cookie),
    ]),
    own: calls.flatMap((call) => place(typeof call === 'string' ? call : member({ call }, 'call').url) ?? []),
    adopt: texts([member(given, 'adopt').header])[0]?.toLowerCase(),
  }
}

/**
 * Origin and path of a URL; `undefined` if it is not a URL. Paths that some server treats as equal give the same
 * result: escapes, capitals, repeated slashes and path parameters (RFC 3986, 3.3) make no difference.
 */
export function place(given: unknown): string | undefined {
  const url = parse(given)
  if (!url) return
  let path = url.pathname
  try {
    path = decodeURIComponent(path)
  } catch {
    // Keep the path if its escapes are not valid UTF-8.
  }
  return (
    url.origin +
    path
      .toLowerCase()
      .replace(/;[^/]*/g, '')
      .replace(/\/+/g, '/')
      .replace(/(.)\/$/, '$1')
  )
}

function parse(given: unknown): URL | undefined {
  try {
    return typeof given === 'string' ? new URL(given, location.href) : undefined
  } catch {
    return
  }
}

/** A member if it is an object, otherwise an empty object. */
function member(given: unknown, name: string): Given {
  const value = typeof given === 'object' && given !== null ? (given as Given)[name] : undefined
  return typeof value === 'object' && value !== null ? (value as Given) : {}
}
