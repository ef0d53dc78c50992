// Polls the server's side until a condition holds.

// In milliseconds: a condition that never holds must fail, and not hang the runner.
const PATIENCE = 20_000

export async function until(test) {
  for (const end = Date.now() + PATIENCE; !test();) {
    if (Date.now() > end) throw new Error(`it never was so: ${test}`)
    await new Promise((done) => setTimeout(done, 5))
  }
}
