// Features that an engine or its driver lacks. A test that needs one is skipped there, and names the missing feature.

import { test } from 'node:test'
import { home } from './engine.mjs'

// The time limit of a test, in milliseconds: a promise that never settles must fail the test, not hang it.
const TIMEOUT = 60_000

/** Thrown if a test needs `what`. */
export class Lack extends Error {
  constructor(what) {
    super(`missing here: ${what}`)
  }
}

/** A test that may find a feature missing. */
export function check(name, body, timeout = TIMEOUT) {
  test(home ? `${home}: ${name}` : name, { timeout }, async (t) => {
    try {
      await body(t)
    } catch (error) {
      if (!(error instanceof Lack)) throw error
      t.skip(error.message)
    }
  })
}
