// Timers for times that others name.

// What a timer takes at most, in milliseconds: 25 days. One that is set further ahead goes off at once.
const FURTHEST = 2 ** 31 - 1;

export function setTimer(work: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(work, Math.min(ms, FURTHEST));
}
