// When who is away is signed out: the decisions. Time, other tabs and the user come from a `World`, so that a test can be all of them.
//
// The truth is the wall clock, asked at every occasion: timers are late in hidden tabs and stand still in a laptop that sleeps. Whatever
// wakes the page, also the first move of the mouse, finds the session over before it counts as activity.

import type { IdleManager, IdleState, IdleWatch } from './idle.js';
import { createListeners } from './listeners.js';

/** What surrounds a watch. */
export interface World {
  /** The wall clock, in milliseconds. */
  now(): number;
  /** Sets a timer. Returns what calls it off. */
  after(ms: number, work: () => void): () => void;
  /** The user does something. Returns the end of it. */
  onActivity(work: () => void): () => void;
  /** The page can be seen or runs again. */
  onWake(work: () => void): () => void;
  /** To the other tabs and from them; `undefined` where there is no such thing. */
  channel(name: string, heard: (data: unknown) => void): Channel | undefined;
  /** Does it unless another tab is doing it; whether it has been done here. */
  alone(name: string, work: () => Promise<void>): Promise<boolean>;
}

interface Channel {
  post(data: object): void;
  close(): void;
}

interface Settings {
  readonly after: number;
  readonly warning: number;
  readonly name: string;
  readonly logout: () => unknown;
}

const SECOND = 1000;
/** So often at least the wall clock is looked at: who wakes from a sleep may get no event. */
const LOOK = 30_000;
/** So long other tabs may take to say that somebody is active there. */
const GRACE = 250;
/** So long at least is between two answers to that question. */
const ANSWERS = 100;

const ACTIVE: IdleState = /*#__PURE__*/ Object.freeze({ status: 'active', remaining: null, reason: null });

export function watch(auth: IdleManager, { after, warning, name, logout }: Settings, world: World): IdleWatch {
  let state = ACTIVE;
  const listeners = createListeners();
  // Who loads a page is there.
  let last = world.now();
  /** The last activity in a warning. It counts at the end of that: a dialog must not vanish from under the hand that reaches for it. */
  let held = 0;
  /** When the other tabs were told of activity, and when they were answered. */
  let told = -Infinity;
  let answered = -Infinity;
  /** The session's end as another tab knows it: with `tabs: 'lock'`, who has not refreshed knows an older one. */
  let heardEnd = 0;
  let ownEnd: number | null = null;
  let wasIn = false;
  let isOver = false;
  /** The other tabs are being asked. */
  let isAsking = false;
  let cancel: (() => void) | undefined;

  const isIn = (): boolean => auth.state.status === 'signed-in';

  function set(next: IdleState): void {
    if (next.status === state.status && next.remaining === state.remaining && next.reason === state.reason) return;
    state = Object.freeze(next);
    listeners.tell();
  }

  function wait(ms: number, work: () => void): void {
    cancel?.();
    cancel = world.after(ms, work);
  }

  /** How long it is until what end. */
  function left(): { left: number; reason: 'idle' | 'session' } {
    const now = world.now();
    // The clock may have been set back.
    last = Math.min(last, now);
    held = Math.min(held, now);
    const idle = last + after - now;
    const session = ownEnd === null ? Infinity : Math.max(ownEnd, heardEnd) - now;
    return session < idle ? { left: session, reason: 'session' } : { left: idle, reason: 'idle' };
  }

  function look(): void {
    if (isOver || isAsking || !isIn() || state.status === 'expired') return;
    const end = left();
    if (end.left <= 0) return held > last ? take(held) : ask();
    if (end.left > warning) {
      wait(Math.min(end.left - warning, LOOK), look);
      return set(ACTIVE);
    }
    const remaining = Math.ceil(end.left / SECOND) * SECOND;
    wait(end.left - remaining + SECOND, look);
    set({ status: 'warning', remaining, reason: end.reason });
  }

  /** Somebody was there then. */
  function take(when: number): void {
    last = when;
    look();
  }

  /** It is over, as far as is known here. A tab that slept, or could not be told, asks before it acts. */
  function ask(): void {
    if (!channel) return expire();
    isAsking = true;
    channel.post({ ask: true });
    wait(GRACE, () => {
      isAsking = false;
      if (isIn() && left().left <= 0) expire();
      else look();
    });
  }

  function expire(): void {
    cancel?.();
    set({ status: 'expired', remaining: 0, reason: left().reason });
    void end();
  }

  /** One tab tells the server; the others hear of it by the manager, or do the same after it. */
  async function end(): Promise<void> {
    if (isOver || !isIn()) return;
    const isDone = await world.alone(name, async () => {
      try {
        await logout();
      } catch {
        // The session has ended here all the same.
      }
      // The news may come to the others later than the lock does.
      await new Promise<void>((resolve) => world.after(GRACE, resolve));
    });
    if (!isDone && !isOver) wait(SECOND, () => void end());
  }

  function tell(): void {
    channel?.post({ active: Math.max(last, held), end: ownEnd });
  }

  /** Whether it still counts that somebody is there. */
  function counts(): boolean {
    if (isOver || isAsking || !isIn() || state.status === 'expired') return false;
    if (left().left > 0) return true;
    look();
    return false;
  }

  function activity(): void {
    if (!counts()) return;
    const now = world.now();
    if (state.reason === 'idle') held = now;
    else last = now;
    if (Math.abs(now - told) < SECOND) return;
    told = now;
    tell();
  }

  /** Any script of the origin may have sent it: it can say that somebody is there now, and no more than that. */
  function heard(data: unknown): void {
    if (isOver || !isIn() || state.status === 'expired' || typeof data !== 'object' || data === null) return;
    const { ask, active, end } = data as Record<string, unknown>;
    const now = world.now();
    if (ask === true && Math.abs(now - answered) >= ANSWERS) {
      answered = now;
      tell();
    }
    if (typeof end === 'number' && Number.isFinite(end)) heardEnd = Math.max(heardEnd, end);
    if (typeof active === 'number' && active > last) last = Math.min(active, now);
    if (state.status === 'warning') look();
  }

  function changed(): void {
    const { sessionExpiresAt = null } = auth.state;
    const isNews = sessionExpiresAt !== ownEnd;
    if (isIn() && !wasIn) {
      // Who signs in is there.
      last = world.now();
      heardEnd = held = 0;
      ownEnd = sessionExpiresAt;
      isAsking = false;
      set(ACTIVE);
    } else if (!isIn() && wasIn) {
      // Another tab may have been first to see it.
      const { left: ms, reason } = left();
      cancel?.();
      isAsking = false;
      if (state.status !== 'expired') set(ms <= GRACE ? { status: 'expired', remaining: 0, reason } : ACTIVE);
    }
    wasIn = isIn();
    ownEnd = sessionExpiresAt;
    if (wasIn && isNews) tell();
    look();
  }

  const channel = world.channel(name, heard);
  const ends = [world.onActivity(activity), world.onWake(look), auth.subscribe(changed)];
  changed();

  return {
    get state() {
      return state;
    },
    subscribe: listeners.add,
    async stay(options) {
      const { reason } = state;
      if (!counts()) return;
      take((told = world.now()));
      tell();
      if (options?.refresh ?? reason === 'session') await auth.refresh();
    },
    dispose() {
      isOver = true;
      cancel?.();
      for (const end of ends) end();
      channel?.close();
      listeners.clear();
    },
  };
}
