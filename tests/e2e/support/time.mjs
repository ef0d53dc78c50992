// Time in a page, in the test's hand. There are two clocks, for they go apart: the wall clock goes on while a laptop sleeps, and
// can be set; the steady one, which timers go by, may stand still meanwhile.

/** Runs in the page, before `start`. From then on no time goes by but what `time` is told of. */
export function takeTime() {
  const turn = setTimeout
  const timers = new Map()
  let wall = Date.now()
  let steady = performance.now()
  let last = 0
  Date.now = () => wall
  performance.now = () => steady
  globalThis.setTimeout = (work, delay = 0, ...args) => {
    timers.set(++last, { due: steady + Math.max(delay, 0), fire: () => work(...args) })
    return last
  }
  globalThis.clearTimeout = (id) => void timers.delete(id)
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
        // What is under way may set a timer.
        await new Promise((resolve) => turn(resolve))
        const [id, timer] = [...timers].sort(([, one], [, other]) => one.due - other.due)[0] ?? []
        if (!timer || timer.due > end) break
        time.skip(Math.max(timer.due - steady, 0))
        timers.delete(id)
        time.fired++
        timer.fire()
      }
      time.skip(end - steady)
    },
  }
}

/** Runs in such a page: a new manager, without neighbours, for to stand in line takes time, and there is none. */
export async function startAnew(options) {
  globalThis.auth?.dispose()
  await start({ ...options, tabs: 'off' })
}
