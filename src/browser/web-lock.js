// A Web Lock (Web Locks API, 2.3), as a value that can be given back.
//
// Whoever holds it has a second one beside it, a lease, whose name says until when it may be held. A page that is frozen
// keeps both, so the lock is taken from whoever's lease has run out. Two at once never take it: for that, too, is a lock.

import { alone } from './notice.js'

/** How far beyond its time a lock is held at the most, in milliseconds: what stands around the call, and slow machines. */
const GRACE = 200
/** How long a lock must have been without a lease before it is taken, in milliseconds: it may have changed hands just now. */
const HAND_OVER = 250

/**
 * Waits for the lock `name`, for `ms` milliseconds at the most; it will be held for `hold` at the most. Fulfils with
 * undefined if it was not to be had. Without a name, and where the platform has no Web Locks, there is nothing to wait for.
 *
 * `contended`: somebody else held it when it was asked for, and has given it back.
 * @param {string | undefined} name @param {number} ms @param {number} hold
 * @returns {Promise<{ contended: boolean, allows(ms: number): boolean, kept(): Promise<boolean>, release(): void } | undefined>}
 */
export async function acquire(name, ms, hold) {
  const locks = globalThis.navigator?.locks
  if (name !== undefined && !locks) alone()
  if (name === undefined || !locks) return { contended: false, allows: () => true, kept: async () => true, release() {} }
  const lease = `${name} until `
  let held
  await ask({ ifAvailable: true }, false)
  if (held) return held
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), ms)
  let patience
  await Promise.race([ask({ signal: abort.signal }, true), take()])
  abort.abort()
  clearTimeout(timer)
  clearTimeout(patience)
  return held

  /** Fulfils when the lock is held, when the wait was called off, or at once if it is not to be had. */
  function ask(options, contended) {
    return new Promise((settle) => {
      let isStolen = false
      const hold_ = (lock) =>
        lock &&
        new Promise((release) => {
          const until = Date.now() + hold + GRACE
          const leased = (end) => {
            held = {
              contended,
              /** Whether there is time left for a call of so many milliseconds. */
              allows: (ms) => Date.now() + ms <= until,
              /** Whether it was held until now. What has taken it meanwhile is heard of before the answer to a question. */
              async kept() {
                if (Date.now() > until) await locks.query()
                return !isStolen
              },
              release() {
                release()
                end()
              },
            }
            settle()
          }
          // Shared: two of the same name and millisecond don't wait for each other.
          locks.request(lease + until, { mode: 'shared' }, () => new Promise(leased))
        })
      const over = () => {
        isStolen = true
        settle()
      }
      locks.request(name, options, hold_).then(over, over)
    })
  }

  /** Takes the lock as soon as it is overdue. */
  async function take() {
    for (;;) {
      await pause((await left()) + HAND_OVER)
      if (held || abort.signal.aborted) return
      if ((await left()) > 0) continue
      const alone = { ifAvailable: true }
      await locks.request(`${name} taken`, alone, async (mine) => mine && (await left()) <= 0 && !held && ask({ steal: true }, false))
      if (held) return
    }
  }

  /** How long it may be held still, by the newest lease. */
  async function left() {
    const ends = (await locks.query()).held.map((lock) => (lock.name.startsWith(lease) ? +lock.name.slice(lease.length) : 0))
    return Math.max(0, Math.max(0, ...ends) - Date.now())
  }

  function pause(ms) {
    return new Promise((resolve) => (patience = setTimeout(resolve, ms)))
  }
}
