// Controlled time in a page. There are two clocks, because they can diverge: the wall clock continues while a laptop sleeps, and can be
// set; the steady clock, which timers follow, may stand still meanwhile.

/** Runs in the page, before `start`. From then on time passes only when `time` is told so. */
export function takeTime() {
  // How many turns of the event loop pending work may take if no network is involved.
  const TURNS = 5
  const turn = setTimeout
  const timers = new Map()
  let wall = Date.now()
  // Rounded, so that differences are exact.
  let steady = Math.round(performance.now())
  let last = 0
  Date.now = () => wall
  performance.now = () => steady
  const set = (work, delay = 0, ...args) => {
    timers.set(++last, { due: steady + Math.max(delay, 0), fire: () => work(...args) })
    return last
  }
  globalThis.setTimeout = /** @type {any} */ (set)
  globalThis.clearTimeout = (id) => void timers.delete(id)
  // Exactly: a timer that fires a rounding error too early would be set again.
  const reach = (due) => {
    wall += Math.max(due - steady, 0)
    steady = Math.max(due, steady)
  }
  const turns = async (count) => {
    while (count--) await new Promise((resolve) => turn(resolve))
  }
  const next = () => [...timers].sort(([, one], [, other]) => one.due - other.due)[0]
  globalThis.time = {
    /** How many timers have fired. */
    fired: 0,
    /** In how many milliseconds the set timers fire. */
    get ahead() {
      return Array.from(timers.values(), ({ due }) => due - steady)
    },
    /** Sets the wall clock. */
    set: (ms) => void (wall += ms),
    /** Timers are late: time passes, and they do not fire. */
    skip(ms) {
      wall += ms
      steady += ms
    },
    /** Time passes normally. */
    async pass(ms) {
      const end = steady + ms
      for (;;) {
        // Pending work may set a timer, or cancel one before it fires.
        await turns(1)
        if (next()?.[1].due <= end) await turns(TURNS)
        const [id, timer] = next() ?? []
        if (!timer || timer.due > end) break
        reach(timer.due)
        timers.delete(id)
        time.fired++
        timer.fire()
      }
      reach(end)
    },
  }
}

/** Runs in the page, before everything else. The clocks stand still: no pause ends before the test does, however slow the machine. */
export function stopClocks() {
  for (const clock of [Date, performance]) {
    const now = clock.now()
    clock.now = () => now
  }
}

/**
 * Runs in a page with controlled time: makes a new manager without other tabs, because waiting in line takes time that does not pass. Its name is
 * unique: a shared worker keeps what it knows for equal managers.
 */
export async function startAnew(options) {
  globalThis.auth?.dispose()
  await start({ ...options, tabs: 'off', name: crypto.randomUUID() })
}
