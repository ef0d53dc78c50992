// Runs Rust's tasks.

/** The promise that the running task waits for next. @type {Promise<unknown> | undefined} */
let next
/** The outcome of the promise that the running task has waited for. @type {unknown} */
let outcome
let isRejected = false

/**
 * Runs a task, which starts at once. `step` resumes the task, which then calls `taken` and, if it has not ended, `wait`.
 * @param {() => void} step
 */
export async function run(step) {
  for (;;) {
    step()
    const promise = next
    next = outcome = undefined
    // The task has ended, or the WebAssembly has trapped.
    if (!promise) return
    try {
      outcome = await promise
      isRejected = false
    } catch (reason) {
      outcome = reason
      isRejected = true
    }
  }
}

/**
 * The running task waits for this promise next.
 * @param {Promise<unknown>} promise
 */
export function wait(promise) {
  next = promise
}

/** The value of the promise that the running task has waited for. Throws its reason if it was rejected. */
export function taken() {
  if (isRejected) throw outcome
  return outcome
}
