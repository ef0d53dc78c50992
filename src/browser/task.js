// Runs Rust's tasks. No function here throws.

/**
 * Runs a task, which starts in a later turn. `step` resumes the task with the result of the last promise, and returns
 * the next promise to wait for, or nothing when the task has ended.
 * @param {(value: unknown, isRejected: boolean) => Promise<unknown> | undefined} step
 */
export async function run(step) {
  /** @type {Promise<unknown> | undefined} */ let promise = Promise.resolve()
  // After a trap, the WebAssembly returns something that is not a promise.
  while (promise?.then) {
    let value
    let isRejected = false
    try {
      value = await promise
    } catch (reason) {
      value = reason
      isRejected = true
    }
    promise = step(value, isRejected)
  }
}
