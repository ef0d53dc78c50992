// What a worker reads of its options before the core does: what it needs to know without the core, and what no home of a token can be asked
// for. The core holds everything else to its types, so what is odd here is passed over.

import type { Api } from '../covers.js';
import { TokenError } from '../error.js';

type Given = Record<string, unknown>;

/** What is known of a manager's options. */
export interface Settled {
  /** What the core is made with. */
  readonly options: Given;
  readonly apis: Api[];
  /** The cookies that it reads. */
  readonly cookies: string[];
  /** Where the refresh and logout calls go, origin and path. */
  readonly own: string[];
  /** The header that may bring a token, in lower case. */
  readonly adopt: string | undefined;
}

/** Throws a `TokenError`. */
export function settle(given: Given): Settled {
  const attach = member(given, 'attach');
  const refuse = (name: string, why: string): never => {
    throw new TokenError('invalid-option', `option \`${name}\` and isolation exclude each other: ${why}`);
  };
  if (given.exposeToken) refuse('exposeToken', 'the token does not leave the worker');
  if (attach.query !== undefined) refuse('attach.query', 'the token would stand in `Response.url`');
  if (attach.cookie !== undefined) refuse('attach.cookie', 'no script has the token, so it needs no home');
  if (given.tabs === 'share') refuse('tabs', "'share' hands the token to all pages of the origin; it takes 'lock' or 'off', and `isolation: 'shared-worker'` is one refresh for all tabs");
  const calls = [given.refresh, given.logout];
  const texts = (list: unknown[]) => list.filter((value) => typeof value === 'string');
  const apis = Array.isArray(given.apis) ? given.apis : [location.origin];
  return {
    options: { ...given, tabs: given.tabs ?? 'lock' },
    apis: apis.flatMap((entry): Api[] => {
      const url = parse(entry);
      // A `URL` cannot be cloned.
      return url ? [{ origin: url.origin, pathname: url.pathname }] : [];
    }),
    cookies: texts([given.sessionHint, member(given, 'csrf').cookie, ...calls.map((call) => member(call, 'csrf').cookie)]),
    own: calls.flatMap((call) => place(typeof call === 'string' ? call : member({ call }, 'call').url) ?? []),
    adopt: texts([member(given, 'adopt').header])[0]?.toLowerCase(),
  };
}

/**
 * Origin and path of a URL; `undefined` of what is none. Paths that some servers take for the same are the same: escapes, capitals, slashes
 * too many and parameters of a segment (RFC 3986, 3.3) make no difference.
 */
export function place(given: unknown): string | undefined {
  const url = parse(given);
  if (!url) return;
  let path = url.pathname;
  try {
    path = decodeURIComponent(path);
  } catch {
    // No text is escaped in it.
  }
  return url.origin + path.toLowerCase().replace(/;[^/]*/g, '').replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
}

function parse(given: unknown): URL | undefined {
  try {
    return typeof given === 'string' ? new URL(given, location.href) : undefined;
  } catch {
    return;
  }
}

/** A member that is an object; another one where it is none. */
function member(given: unknown, name: string): Given {
  const value = typeof given === 'object' && given !== null ? (given as Given)[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Given) : {};
}
