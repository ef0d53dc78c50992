// The event loop, instead of a clock.

// What is under way may need so many turns of it: a stream of a body, a call into the core, an answer of a `fetch` that the test holds in hand.
const TURNS = 10

/** All that is under way, and waits for nothing from outside, has had its turn. */
export async function turns() {
  for (let n = 0; n < TURNS; n++) await new Promise(setImmediate)
}
