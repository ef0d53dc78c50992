// What an engine, or what drives it, has not. A test that needs it is skipped there, and says what is missing.

import { test } from 'node:test'

// Bounds a test, in milliseconds: what never settles must fail, and not hang.
const TIMEOUT = 60_000

/** Thrown where a test needs `what`. */
export class Lack extends Error {
  constructor(what) {
    super(`missing here: ${what}`)
  }
}

/** A test that may find that something is lacking. */
export function check(name, body, timeout = TIMEOUT) {
  test(name, { timeout }, async (t) => {
    try {
      await body(t)
    } catch (error) {
      if (!(error instanceof Lack)) throw error
      t.skip(error.message)
    }
  })
}
