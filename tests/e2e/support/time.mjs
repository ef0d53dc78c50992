// Time in a page, in the test's hand. There are two clocks, for they go apart: the wall clock goes on while a laptop sleeps, and
// can be set; the steady one, which timers go by, may stand still meanwhile.

/** Runs in the page, before `start`. From then on no time goes by but what `time` is told of. */
export function takeTime() {
  // So many more turns of the event loop what is under way may take, where no network has a part in it.
  const TURNS = 5
  const turn = setTimeout
  const timers = new Map()
  let wall = Date.now()
  // Whole, so that what is so many milliseconds ahead says so.
  let steady = Math.round(performance.now())
  let last = 0
  Date.now = () => wall
  performance.now = () => steady
  globalThis.setTimeout = (work, delay = 0, ...args) => {
    timers.set(++last, { due: steady + Math.max(delay, 0), fire: () => work(...args) })
    return last
  }
  globalThis.clearTimeout = (id) => void timers.delete(id)
  // Exactly: who is woken a rounding error too early has to sleep again.
  const reach = (due) => {
    wall += Math.max(due - steady, 0)
    steady = Math.max(due, steady)
  }
  const turns = async (count) => {
    while (count--) await new Promise((resolve) => turn(resolve))
  }
  const next = () => [...timers].sort(([, one], [, other]) => one.due - other.due)[0]
  globalThis.time = {
    /** How many timers have gone off. */
    fired: 0,
    /** In how many milliseconds those go off that are set. */
    get ahead() {
      return Array.from(timers.values(), ({ due }) => due - steady)
    },
    /** The wall clock is set. */
    set: (ms) => void (wall += ms),
    /** Timers are late: time goes by, and they don't go off. */
    skip(ms) {
      wall += ms
      steady += ms
    },
    /** Time goes by as it should. */
    async pass(ms) {
      const end = steady + ms
      for (;;) {
        // What is under way may set a timer; and, before one goes off, may call it off.
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

/** Runs in the page, before all else. The clocks stand still: no pause is over before the test is, however slow the machine. */
export function stopClocks() {
  for (const clock of [Date, performance]) {
    const now = clock.now()
    clock.now = () => now
  }
}

/** Runs in a page whose time is taken: a new manager, without other tabs, for to stand in line takes time, and there is none. */
export async function startAnew(options) {
  globalThis.auth?.dispose()
  await start({ ...options, tabs: 'off' })
}
