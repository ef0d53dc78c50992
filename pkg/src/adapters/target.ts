// Which requests get the token, and in which header. A manager hands its options to nobody, so an adapter is given `apis` and
// `attach` once more, and reads them as the manager does: rule 1, on the URL as the platform parses it.

import { ownBase, pageBase } from '../base.js';
import { covers } from '../covers.js';
import { TokenError } from '../error.js';
import type { TokenManagerOptions } from '../types.js';

/** What an adapter has to know of a request. */
export interface Target {
  /** The URL as the platform parses it, if it may receive the token. */
  covered(url: string): string | undefined;
  /** The header that carries it. */
  readonly header: string;
  /** What the header says. */
  value(token: string): string;
}

/** Reads the options. Throws a `TokenError` that names what is bad. */
export function target(name: string, { apis, attach: { header = 'Authorization', scheme = 'Bearer', query, cookie } = {} }: Pick<TokenManagerOptions, 'apis' | 'attach'>): Target {
  if (query ?? cookie) throw new TokenError('invalid-option', `${name}: option \`attach\` takes { header, scheme }.`);
  // None on a server, where nothing is sent.
  const base = ownBase();
  let list: URL[];
  try {
    list = base === undefined ? [] : ((apis ?? [new URL('/', base)]) as readonly (string | URL)[]).map((api) => {
      const place = parse(`${api}`, base)!;
      if (place.search || place.hash) throw 0;
      return place;
    });
  } catch {
    throw new TokenError('invalid-option', `${name}: option \`apis\` takes a list of http and https URLs, without user name, query and fragment.`);
  }
  return {
    covered(url) {
      const place = parse(url, pageBase());
      return place && covers(list, place) ? place.href : undefined;
    },
    header,
    value: (token) => (scheme ? `${scheme} ${token}` : token),
  };
}

/** `undefined` for what never gets the token, as in the core. */
function parse(url: string, base: string | undefined): URL | undefined {
  try {
    const place = new URL(url, base);
    if (/^https?:$/.test(place.protocol) && !place.username && !place.password) return place;
  } catch {
    // No URL.
  }
  return;
}
