// The event loop, instead of a clock.

// Pending work may need this many turns: a stream of a body, a call into the core, an answer of a `fetch` that the test controls.
const TURNS = 10

/** Resolves when all pending work that waits for nothing from outside has run. */
export async function turns() {
  for (let n = 0; n < TURNS; n++) await new Promise(setImmediate)
}
