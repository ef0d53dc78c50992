// A Web Lock (Web Locks API, 2.3), as a value that can be given back.

/**
 * Waits for the lock `name`, for `ms` milliseconds at the most. Fulfils with undefined if it was not to be had. Without a
 * name, and where the platform has no Web Locks, there is nothing to wait for.
 *
 * `contended`: somebody else held it when it was asked for.
 * @param {string | undefined} name @param {number} ms
 * @returns {Promise<{ contended: boolean, release(): void } | undefined>}
 */
export async function acquire(name, ms) {
  const locks = globalThis.navigator?.locks
  if (!locks || name === undefined) return { contended: false, release() {} }
  const at_once = await ask({ ifAvailable: true }, false)
  if (at_once) return at_once
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), ms)
  const in_line = await ask({ signal: abort.signal }, true)
  clearTimeout(timer)
  return in_line

  function ask(options, contended) {
    return new Promise((resolve) => {
      const hold = (lock) => lock && new Promise((release) => resolve({ contended, release }))
      // Settles when the lock is given back, when the wait was called off, or at once if it is not to be had.
      const refused = () => resolve(undefined)
      locks.request(name, options, hold).then(refused, refused)
    })
  }
}
