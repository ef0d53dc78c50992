// A clock that can be advanced, for engines that Playwright's clock does not support. Until then it follows the real one.

/** Runs in the page, before everything else. Timers that fall into the skipped time fire once, in order. */
export function installClock() {
  const real = {
    now: Date.now,
    ticks: performance.now.bind(performance),
    set: setTimeout.bind(globalThis),
    clear: clearTimeout.bind(globalThis),
  }
  const timers = new Map()
  let ahead = 0
  const RealDate = Date
  globalThis.Date = /** @type {any} */ (
    class extends RealDate {
      constructor(...args) {
        super(.../** @type {[any]} */ (args.length ? args : [Date.now()]))
      }
      static now() {
        return real.now() + ahead
      }
    }
  )
  performance.now = () => real.ticks() + ahead
  const set = (work, delay = 0, ...args) => {
    const fire = () => {
      timers.delete(id)
      work(...args)
    }
    const id = real.set(fire, delay)
    timers.set(id, { due: performance.now() + Math.max(0, delay), fire })
    return id
  }
  globalThis.setTimeout = /** @type {any} */ (set)
  globalThis.clearTimeout = (id) => {
    timers.delete(id)
    real.clear(id)
  }
  globalThis.clock = {
    fastForward(by) {
      ahead += by
      const due = [...timers]
        .filter(([, timer]) => timer.due <= performance.now())
        .sort(([, one], [, other]) => one.due - other.due)
      for (const [id, { fire }] of due) {
        if (!timers.has(id)) continue
        real.clear(id)
        fire()
      }
    },
  }
}

/** `'04:45'` or milliseconds. */
export function milliseconds(time) {
  return typeof time === 'number' ? time : time.split(':').reduce((sum, part) => 60 * sum + Number(part), 0) * 1000
}
