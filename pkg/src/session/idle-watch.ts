// Decides when an idle user is signed out. Time, other tabs and the user's activity come from a `World`, which tests can replace.
//
// The wall clock decides, and it is read on every occasion: timers are late in hidden tabs and stop while a laptop sleeps. When
// something wakes the page, even a mouse move, the expiry is checked before it counts as activity.

import type { IdleManager, IdleState, IdleWatch } from './idle.js'
import { createListeners } from './listeners.js'

/** The environment of a watch. */
export interface World {
  /** The wall clock, in milliseconds. */
  now(): number
  /** Sets a timer. Returns a function that cancels it. */
  after(ms: number, work: () => void): () => void
  /** Calls `work` when the user is active. Returns a function that unsubscribes. */
  onActivity(work: () => void): () => void
  /** Calls `work` when the page becomes visible or runs again. */
  onWake(work: () => void): () => void
  /** A channel to the other tabs; `undefined` if the platform has none. */
  channel(name: string, heard: (data: unknown) => void): Channel | undefined
  /** Does the work unless another tab is doing it. Resolves to whether this tab did it. */
  alone(name: string, work: () => Promise<void>): Promise<boolean>
}

interface Channel {
  post(data: object): void
  close(): void
}

interface Settings {
  readonly after: number
  readonly warning: number
  readonly name: string
  readonly logout: () => unknown
}

const SECOND = 1000
/** The longest time between two looks at the wall clock, in milliseconds: waking from sleep may fire no event. */
const LOOK = 30_000
/** How long other tabs may take to report activity, in milliseconds. */
const GRACE = 250
/** The shortest time between two answers to other tabs, in milliseconds. */
const ANSWERS = 100

const ACTIVE: IdleState = /*#__PURE__*/ Object.freeze({ status: 'active', remaining: null, reason: null })

export function watch(auth: IdleManager, { after, warning, name, logout }: Settings, world: World): IdleWatch {
  let state = ACTIVE
  const listeners = createListeners()
  // Loading the page counts as activity.
  let last = world.now()
  /** The last activity during a warning. It only counts when the warning ends, so that the dialog does not vanish while the user reaches for it. */
  let held = 0
  /** When this tab last reported activity to the other tabs, and when it last answered them. */
  let told = -Infinity
  let answered = -Infinity
  /** The end of the session as reported by another tab: with `tabs: 'lock'`, a tab that has not refreshed only knows an older one. */
  let heardEnd = 0
  let ownEnd: number | null = null
  let wasIn = false
  let isOver = false
  /** Whether this tab is waiting for answers of the other tabs. */
  let isAsking = false
  let cancel: (() => void) | undefined

  const isIn = (): boolean => auth.state.status === 'signed-in'

  function set(next: IdleState): void {
    if (next.status === state.status && next.remaining === state.remaining && next.reason === state.reason) return
    state = Object.freeze(next)
    listeners.tell()
  }

  function wait(ms: number, work: () => void): void {
    cancel?.()
    cancel = world.after(ms, work)
  }

  /** The time that is left, and whether idleness or the session's end comes first. */
  function left(): { left: number; reason: 'idle' | 'session' } {
    const now = world.now()
    // The clock may have been set back.
    last = Math.min(last, now)
    held = Math.min(held, now)
    const idle = last + after - now
    const session = ownEnd === null ? Infinity : Math.max(ownEnd, heardEnd) - now
    return session < idle ? { left: session, reason: 'session' } : { left: idle, reason: 'idle' }
  }

  function look(): void {
    if (isOver || isAsking || !isIn() || state.status === 'expired') return
    const end = left()
    if (end.left <= 0) return held > last ? take(held) : ask()
    if (end.left > warning) {
      wait(Math.min(end.left - warning, LOOK), look)
      return set(ACTIVE)
    }
    const remaining = Math.ceil(end.left / SECOND) * SECOND
    wait(end.left - remaining + SECOND, look)
    set({ status: 'warning', remaining, reason: end.reason })
  }

  /** Records that the user was active at `when`. */
  function take(when: number): void {
    last = when
    look()
  }

  /**
   * The time is over as far as this tab knows. It asks the other tabs first, because it may have missed their messages, for example while
   * it slept.
   */
  function ask(): void {
    if (!channel) return expire()
    isAsking = true
    channel.post({ ask: true })
    wait(GRACE, () => {
      isAsking = false
      if (isIn() && left().left <= 0) expire()
      else look()
    })
  }

  function expire(): void {
    cancel?.()
    set({ status: 'expired', remaining: 0, reason: left().reason })
    void end()
  }

  /** One tab logs out; the others learn of it through their managers, or log out after it. */
  async function end(): Promise<void> {
    if (isOver || !isIn()) return
    const isDone = await world.alone(name, async () => {
      try {
        await logout()
      } catch {
        // The session has ended in the browser nevertheless.
      }
      // The other tabs may get the lock before they learn of the logout.
      await new Promise<void>((resolve) => world.after(GRACE, resolve))
    })
    if (!isDone && !isOver) wait(SECOND, () => void end())
  }

  function tell(): void {
    channel?.post({ active: Math.max(last, held), end: ownEnd })
  }

  /** Whether activity still counts. */
  function counts(): boolean {
    if (isOver || isAsking || !isIn() || state.status === 'expired') return false
    if (left().left > 0) return true
    look()
    return false
  }

  function activity(): void {
    if (!counts()) return
    const now = world.now()
    if (state.reason === 'idle') held = now
    else last = now
    if (Math.abs(now - told) < SECOND) return
    told = now
    tell()
  }

  /** Handles a message, which any script of the origin may have sent: it can report activity up to now, and nothing more. */
  function heard(data: unknown): void {
    if (isOver || !isIn() || state.status === 'expired' || typeof data !== 'object' || data === null) return
    const { ask, active, end } = data as Record<string, unknown>
    const now = world.now()
    if (ask === true && Math.abs(now - answered) >= ANSWERS) {
      answered = now
      tell()
    }
    if (typeof end === 'number' && Number.isFinite(end)) heardEnd = Math.max(heardEnd, end)
    if (typeof active === 'number' && active > last) last = Math.min(active, now)
    if (state.status === 'warning') look()
  }

  function changed(): void {
    const { sessionExpiresAt = null } = auth.state
    const isNews = sessionExpiresAt !== ownEnd
    if (isIn() && !wasIn) {
      // Signing in counts as activity.
      last = world.now()
      heardEnd = held = 0
      ownEnd = sessionExpiresAt
      isAsking = false
      set(ACTIVE)
    } else if (!isIn() && wasIn) {
      // Another tab may have noticed the expiry first.
      const { left: ms, reason } = left()
      cancel?.()
      isAsking = false
      if (state.status !== 'expired') set(ms <= GRACE ? { status: 'expired', remaining: 0, reason } : ACTIVE)
    }
    wasIn = isIn()
    ownEnd = sessionExpiresAt
    if (wasIn && isNews) tell()
    look()
  }

  const channel = world.channel(name, heard)
  const ends = [world.onActivity(activity), world.onWake(look), auth.subscribe(changed)]
  changed()

  return {
    get state() {
      return state
    },
    subscribe: listeners.add,
    async stay(options) {
      const { reason } = state
      if (!counts()) return
      take((told = world.now()))
      tell()
      if (options?.refresh ?? reason === 'session') await auth.refresh()
    },
    dispose() {
      isOver = true
      cancel?.()
      for (const end of ends) end()
      channel?.close()
      listeners.clear()
    },
  }
}
