// Runs Rust's tasks.

/** The promise that the running task waits for next. @type {Promise<unknown> | undefined} */
let next
/** The outcome of the promise that the running task has waited for. @type {unknown} */
let outcome
let isRejected = false

/**
 * Runs a task, which starts at once. `step` resumes the task, which then calls `awaited` and, if it has not ended, `wait`.
 * Throws if the WebAssembly traps, so that the call that began the task ends, too.
 * @param {() => void} step
 */
export function run(step) {
  step()
  const promise = next
  next = outcome = undefined
  if (promise) void resume(step, promise)
}

/** @param {() => void} step @param {Promise<unknown>} promise */
async function resume(step, promise) {
  try {
    outcome = await promise
    isRejected = false
  } catch (reason) {
    outcome = reason
    isRejected = true
  }
  run(step)
}

/**
 * The running task waits for this promise next.
 * @param {Promise<unknown>} promise
 */
export function wait(promise) {
  next = promise
}

/** The value of the promise that the running task has waited for. Throws its reason if it was rejected. */
export function awaited() {
  if (isRejected) throw outcome
  return outcome
}
