// A Web Lock (Web Locks API, 2.3), as a value that can be released. No function here throws, and every promise resolves
// within its time.
//
// The holder of the lock also holds a second one, the lease, whose name contains the time until which the lock may be
// held. To hold the lock longer, the holder takes a new lease. A frozen page keeps both locks, so another page steals
// the lock once the lease has expired, which `core/lease.rs` decides. A third lock ensures that two pages never steal at
// once, and that nobody steals while the holder prolongs.

import { alone } from './notice.js'
import { after, patience, within } from './timer.js'

/**
 * How long a lock must have been without a lease before it is stolen, in milliseconds. It may just have got a new
 * holder.
 */
const HAND_OVER = 250
/** How long to wait for an answer that the platform normally gives at once, in milliseconds. */
const QUESTION = 10_000

/** Stands for the lock if there is nothing to wait for. */
const FREE = { contended: false, allows: () => true, prolong: async () => true, kept: async () => true, release() {} }

/**
 * Waits for the lock `name` for at most `ms` milliseconds, to hold it for at most `hold` milliseconds, and `grace` more.
 * Resolves to undefined if the lock did not become free. Without a name, or if the platform has no Web Locks or denies
 * them (a sandboxed frame, blocked storage), there is nothing to wait for. `left` says how many milliseconds the lock
 * may still be held, by the names of all held locks (`core/lease.rs`).
 *
 * `contended`: somebody else held the lock when it was requested, and has released it.
 * @typedef {{ contended: boolean, allows(ms: number): boolean, prolong(ms: number): Promise<boolean | undefined>,
 *   kept(): Promise<boolean | undefined>, release(): void }} Held
 * @param {string | undefined} name @param {number} ms @param {number} hold @param {number} grace
 * @param {(held: string[]) => number} left
 * @returns {Promise<Held | undefined>}
 */
export async function acquire(name, ms, hold, grace, left) {
  if (name === undefined) return FREE
  const abort = new AbortController()
  /** @type {Held | undefined} */ let held
  let isDenied = false
  let isOver = false
  let cancelPause
  let finish
  const finished = new Promise((resolve) => (finish = resolve))
  // Wait less for a platform that does not answer than for a lock that is held.
  let cancel = patience(QUESTION, finish)
  try {
    void begin()
    await finished
    if (held || !isDenied) return held
    alone()
    return FREE
  } finally {
    isOver = true
    cancel()
    cancelPause?.()
    abort.abort()
  }

  async function begin() {
    await ask({ ifAvailable: true }, false)
    if (held || isDenied || isOver) return finish()
    cancel()
    cancel = patience(ms, finish)
    ask({ signal: abort.signal }, true).then(finish)
    // If the platform denies the query, just wait.
    take().catch(() => {})
  }

  /** Resolves when the lock is held, unavailable or denied. @returns {Promise<void>} */
  function ask(options, contended) {
    return new Promise((settle) => {
      let isGranted = false
      let isStolen = false
      const grant = (lock) => {
        // A lock that comes too late is released at once.
        if (!lock || held || isOver) return undefined
        isGranted = true
        return new Promise((/** @type {(nothing?: undefined) => void} */ release) => {
          let mine
          finished.then(() => mine || release())
          takeLease(name, hold + grace).then((lease) => {
            if (held || isOver) return lease.end()
            held = mine = holder(name, hold, grace, lease, contended, () => isStolen, release)
            settle()
          })
        })
      }
      request(name, options, grant).then(settle, () => {
        isStolen = isGranted
        isDenied ||= !isGranted && !abort.signal.aborted
        settle()
      })
    })
  }

  /** How many milliseconds the lock may still be held. `left` ends with this wait. */
  async function remaining() {
    const held = /** @type {{ name: string }[]} */ ((await navigator.locks.query()).held)
    return isOver ? Infinity : left(held.map(({ name }) => name))
  }

  /** Steals the lock when its lease has expired. */
  async function take() {
    for (;;) {
      const ms = (await remaining()) + HAND_OVER
      if (isOver) return
      await new Promise((resolve) => (cancelPause = after(resolve, ms)))
      if (held || isOver) return
      if ((await remaining()) > 0) continue
      await request(`${name} taken`, { ifAvailable: true }, async (mine) => {
        if (mine && (await remaining()) <= 0 && !held && !isOver) await ask({ steal: true }, false)
      })
      if (held) return finish()
    }
  }
}

/** A held lock. */
function holder(name, hold, grace, lease, contended, isStolen, release) {
  let isReleased = false
  let cancel
  // The work may take longer than the lease, so a live holder prolongs the lease in time.
  const keep = () => {
    if (!isReleased) cancel = after(() => void prolong(hold), Math.max(lease.until - Date.now(), 0) / 2)
  }
  const isMine = () => !isReleased && !isStolen()
  const prolong = (ms) => {
    cancel?.()
    const prolonged = request(`${name} taken`, {}, async () => {
      if (!isMine()) return
      const next = await takeLease(name, ms + grace)
      lease.end()
      lease = next
      if (isReleased) lease.end()
      else keep()
    })
    return within(prolonged.then(heard).then(isMine), QUESTION)
  }
  keep()
  return {
    contended,
    /** Whether enough time is left for a call of so many milliseconds. */
    allows: (ms) => isMine() && Date.now() + ms <= lease.until,
    /** Takes a lease for a call of so many milliseconds. Resolves to whether the lock is still held. */
    prolong,
    /** Whether the lock has been held until now. */
    async kept() {
      return Date.now() > lease.until ? within(heard().then(isMine, isMine), QUESTION) : isMine()
    },
    release() {
      isReleased = true
      cancel?.()
      release()
      lease.end()
    },
  }
}

/**
 * Takes a lease of so many milliseconds. If the platform denies it, there is no lease to end. Its end is a whole
 * number, because `core/lease.rs` reads digits only.
 */
function takeLease(name, ms) {
  const until = Math.ceil(Date.now() + ms)
  return new Promise((settle) => {
    // Shared mode, so that two leases with the same name and millisecond don't wait for each other.
    request(`${name} until ${until}`, { mode: 'shared' }, () => new Promise((end) => settle({ until, end }))).catch(
      () => settle({ until, end() {} }),
    )
  })
}

/** Resolves after all earlier lock events have arrived: they come before the answer to a query. */
async function heard() {
  await navigator.locks.query()
}

/** `navigator.locks.request`. It may be missing, or throw if it is denied. */
async function request(name, options, granted) {
  // Don't inherit options from a polluted prototype.
  return navigator.locks.request(name, { __proto__: null, ...options }, granted)
}
