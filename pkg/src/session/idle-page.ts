// The page, for a watch. What the platform has not, or does not allow, costs the other tabs and not the watch. It stays out of Angular's zone: an
// app there is busy as long as a timer is pending, and looks at all of itself at each move of the mouse.

import type { World } from './idle-watch.js';

const WAKES = ['focus', 'pageshow', 'online', 'visibilitychange', 'resume'];
const LISTEN = { passive: true, capture: true };

/** `events` are those that are activity. */
export function page(events: readonly string[]): World {
  return {
    now: () => Date.now(),
    after(ms, work) {
      const timer = outside(() => setTimeout(work, ms));
      return () => clearTimeout(timer);
    },
    onActivity(work) {
      let last: string | undefined;
      return listen(events, ({ type, screenX, screenY }) => {
        // Browsers tell of a move when the page moves under a pointer that rests.
        const place = screenX === undefined ? last : `${screenX} ${screenY}`;
        const rests = /^(pointer|mouse)move$/.test(type) && place === last;
        last = place;
        if (!rests) work();
      });
    },
    onWake: (work) => listen(WAKES, work),
    channel(name, heard) {
      try {
        const channel = new BroadcastChannel(name);
        // Under Node it would keep the process alive.
        (channel as { unref?: () => void }).unref?.();
        outside(() => (channel.onmessage = ({ data }) => heard(data)));
        return {
          post: (data) => channel.postMessage(data),
          close: () => channel.close(),
        };
      } catch {
        // There is none here, or the page may not have one: this tab is the only one it knows.
        return;
      }
    },
    async alone(name, work) {
      let hasBegun = false;
      const begin = (): Promise<void> => {
        hasBegun = true;
        return work();
      };
      try {
        await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? begin() : undefined));
      } catch {
        if (!hasBegun) await begin();
      }
      return hasBegun;
    },
  };
}

/** At the window, where events of the document come by, too. A server has none. */
function listen(types: readonly string[], heard: (event: Event & Partial<MouseEvent>) => void): () => void {
  if (typeof globalThis.addEventListener !== 'function') return () => {};
  outside(() => {
    for (const type of types) addEventListener(type, heard, LISTEN);
  });
  return () => {
    for (const type of types) removeEventListener(type, heard, LISTEN);
  };
}

function outside<T>(work: () => T): T {
  const { Zone } = globalThis as { Zone?: { root?: { run?: (work: () => T) => T } } };
  return typeof Zone?.root?.run === 'function' ? Zone.root.run(work) : work();
}
