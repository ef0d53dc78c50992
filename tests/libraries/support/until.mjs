// What happens on the server's side is looked at until it is so.

// In milliseconds: what never comes must fail, and not keep the runner.
const PATIENCE = 20_000

export async function until(test) {
  for (const end = Date.now() + PATIENCE; !test();) {
    if (Date.now() > end) throw new Error(`it never was so: ${test}`)
    await new Promise((done) => setTimeout(done, 5))
  }
}
