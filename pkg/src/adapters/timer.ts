// Timers for durations that the app or the server sets.

// The longest delay of a timer, in milliseconds: 25 days. The platform fires a timer with a longer delay at once.
const FURTHEST = 2 ** 31 - 1

export function setTimer(work: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(work, Math.min(ms, FURTHEST))
}
