// A cache of parsed URLs: apps call the same URLs over and over, and parsing one costs as much as the rest of a call.

import { parse, type Parse, type Place } from './call.js'

// How many URLs are kept, and their maximal length.
const PLACES = 100
const LENGTH = 1000
/**
 * A URL with a path, without a fragment, and with a query that the platform's parser leaves as it is (URL Standard, 4.4, query
 * state). It contains nothing that the parser strips.
 */
const PLAIN = /^(https?:)?\/[!$-&(-;=?-~]*$/

/** Makes a cache. */
export function createPlaces(): Parse {
  const known = new Map<string, Place>()
  /** The base that its relative URLs were resolved against. */
  let last: string | undefined
  return (text, base) => {
    if (text.length > LENGTH) return parse(text, base)
    if (last !== base || known.size >= PLACES) known.clear()
    last = base
    // Queries differ more than paths do, so URLs are kept without theirs.
    const at = text.indexOf('?')
    const isSplit = at >= 0 && PLAIN.test(text)
    const key = isSplit ? text.slice(0, at) : text
    let place = known.get(key)
    if (!place) known.set(key, (place = parse(key, base)))
    if (!isSplit || place.href === undefined) return place
    const href = place.href + text.slice(at)
    return { href, url: href, path: place }
  }
}
