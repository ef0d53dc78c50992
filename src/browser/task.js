// Runs the tasks of Rust. No function here throws.

/**
 * Runs a task, beginning in a turn of its own. `step` takes it as far as it can go: it is told what the promise says that it
 * has given the last time, and gives the next one to wait for; nothing when the task is at its end.
 * @param {(said: unknown, isRejected: boolean) => Promise<unknown> | undefined} step
 */
export async function run(step) {
  /** @type {Promise<unknown> | undefined} */ let promise = Promise.resolve()
  // An instance that has trapped gives what is no promise.
  while (promise?.then) {
    let said
    let isRejected = false
    try {
      said = await promise
    } catch (reason) {
      said = reason
      isRejected = true
    }
    promise = step(said, isRejected)
  }
}
