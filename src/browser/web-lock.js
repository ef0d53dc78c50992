// A Web Lock (Web Locks API, 2.3), as a value that can be given back. No function here throws, and all that they promise is
// fulfilled within its time.
//
// Whoever holds it has a second one beside it, a lease, whose name says until when it may be held; who needs it longer takes another.
// A page that is frozen keeps both, so the lock is taken from whoever's lease has run out. Two at once never take it, and nobody
// takes it while its holder prolongs: for that, too, is a lock.

import { alone } from './notice.js'
import { after, patience, within } from './timer.js'

/** How far beyond its time a lock is held at the most, in milliseconds: what stands around the call, and slow machines. */
const GRACE = 200
/** How long a lock must have been without a lease before it is taken, in milliseconds: it may have changed hands just now. */
const HAND_OVER = 250
/** How long to wait for the answer to a question that the platform answers at once, in milliseconds. */
const QUESTION = 10_000

/** Where there is nothing to wait for. */
const FREE = { contended: false, allows: () => true, prolong: async () => true, kept: async () => true, release() {} }

/** When the locks that are held were first seen, by the steady clock. */
let seen = new Map()

/**
 * Waits for the lock `name`, for `ms` milliseconds at the most; it will be held for `hold` at the most. Fulfils with
 * undefined if it was not to be had. Without a name, and where the platform has no Web Locks or denies them (a sandboxed frame,
 * blocked storage), there is nothing to wait for. Nobody's lease is believed for longer than `longest`.
 *
 * `contended`: somebody else held it when it was asked for, and has given it back.
 * @typedef {{ contended: boolean, allows(ms: number): boolean, prolong(ms: number): Promise<boolean | undefined>, kept(): Promise<boolean | undefined>, release(): void }} Held
 * @param {string | undefined} name @param {number} ms @param {number} hold @param {number} longest
 * @returns {Promise<Held | undefined>}
 */
export async function acquire(name, ms, hold, longest) {
  if (name === undefined) return FREE
  const abort = new AbortController()
  /** @type {Held | undefined} */ let held
  let isDenied = false
  let isOver = false
  let cancelPause
  let finish
  const finished = new Promise((resolve) => (finish = resolve))
  // A platform that answers nothing is found out sooner than one whose lock is held.
  let cancel = patience(QUESTION, finish)
  try {
    void begin()
    await finished
    if (isDenied) alone()
    return isDenied ? FREE : held
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
    // Who may not ask who holds it, waits.
    take().catch(() => {})
  }

  /** Fulfils when the lock is held, or is not to be had, or denied. @returns {Promise<void>} */
  function ask(options, contended) {
    return new Promise((settle) => {
      let isGranted = false
      let isStolen = false
      const grant = (lock) => {
        // Too late, it is given back at once.
        if (!lock || held || isOver) return undefined
        isGranted = true
        return new Promise((/** @type {(nothing?: undefined) => void} */ release) => {
          let mine
          finished.then(() => mine || release())
          takeLease(name, hold).then((lease) => {
            if (held || isOver) return lease.end()
            held = mine = holder(name, hold, lease, contended, () => isStolen, release)
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

  /** Takes the lock as soon as it is overdue. */
  async function take() {
    for (;;) {
      const ms = (await left(name, longest)) + HAND_OVER
      if (isOver) return
      await new Promise((resolve) => (cancelPause = after(resolve, ms)))
      if (held || isOver) return
      if ((await left(name, longest)) > 0) continue
      await request(`${name} taken`, { ifAvailable: true }, async (mine) => {
        if (mine && (await left(name, longest)) <= 0 && !held && !isOver) await ask({ steal: true }, false)
      })
      if (held) return finish()
    }
  }
}

/** A lock that is held, until it is released. */
function holder(name, hold, lease, contended, isStolen, release) {
  let isReleased = false
  let cancel
  // Its own time may be longer than the clock's: whoever is alive prolongs in time.
  const keep = () => {
    if (!isReleased) cancel = after(() => void prolong(hold), Math.max(lease.until - Date.now(), 0) / 2)
  }
  const isMine = () => !isReleased && !isStolen()
  const prolong = (ms) => {
    cancel?.()
    const prolonged = request(`${name} taken`, {}, async () => {
      if (!isMine()) return
      const next = await takeLease(name, ms)
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
    /** Whether there is time left for a call of so many milliseconds. */
    allows: (ms) => isMine() && Date.now() + ms <= lease.until,
    /** Takes the time for a call of so many milliseconds. Fulfils with whether the lock is held still. */
    prolong,
    /** Whether it was held until now. */
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

/** Takes a lease of so many milliseconds. Where the platform denies that, there is none to end. */
function takeLease(name, ms) {
  const until = Date.now() + ms + GRACE
  return new Promise((settle) => {
    // Shared: two of the same name and millisecond don't wait for each other.
    request(`${name} until ${until}`, { mode: 'shared' }, () => new Promise((end) => settle({ until, end }))).catch(() => settle({ until, end() {} }))
  })
}

/** How long the lock may be held still, by the newest lease. What a lease says beyond `longest` is not believed. */
async function left(name, longest) {
  const lease = `${name} until `
  const now = performance.now()
  const names = /** @type {{ name: string }[]} */ ((await navigator.locks.query()).held).map((lock) => lock.name)
  seen = new Map(names.map((name) => [name, seen.get(name) ?? now]))
  const ends = names.map((name) => (name.startsWith(lease) ? Math.min(+name.slice(lease.length) - Date.now(), seen.get(name) + longest + GRACE - now) : 0))
  return Math.max(0, ...ends.filter((end) => end > 0))
}

/** Fulfils when all is heard that has become of locks by now: that comes before the answer to a question. */
async function heard() {
  await navigator.locks.query()
}

/** `navigator.locks.request`, which throws where it is denied, and is missing elsewhere. */
async function request(name, options, granted) {
  // What the page's prototypes have been given is no option of ours.
  return navigator.locks.request(name, { __proto__: null, ...options }, granted)
}
