// The page, as the idle watch sees it. If the platform lacks or forbids a feature, the watch works without the other tabs. It runs outside
// Angular's zone, where a pending timer would keep the app unstable and each mouse move would trigger change detection.

import type { World } from './idle-watch.js'

const WAKES = ['focus', 'pageshow', 'online', 'visibilitychange', 'resume']
const LISTEN = { passive: true, capture: true }

/** `events`: the events that count as activity. */
export function page(events: readonly string[]): World {
  return {
    now: () => Date.now(),
    after(ms, work) {
      const timer = outside(() => setTimeout(work, ms))
      return () => clearTimeout(timer)
    },
    onActivity(work) {
      let last: string | undefined
      return listen(events, ({ type, screenX, screenY }) => {
        // Browsers also fire move events when the page moves under a resting pointer.
        const place = screenX === undefined ? last : `${screenX} ${screenY}`
        const rests = /^(pointer|mouse)move$/.test(type) && place === last
        last = place
        if (!rests) work()
      })
    },
    onWake: (work) => listen(WAKES, work),
    channel(name, heard) {
      try {
        const channel = new BroadcastChannel(name)
        // Under Node an open channel would keep the process alive.
        ;(channel as { unref?: () => void }).unref?.()
        outside(() => (channel.onmessage = ({ data }) => heard(data)))
        return {
          post: (data) => channel.postMessage(data),
          close: () => channel.close(),
        }
      } catch {
        // No BroadcastChannel, or the page may not use one: watch this tab alone.
        return
      }
    },
    async alone(name, work) {
      let hasBegun = false
      const begin = (): Promise<void> => {
        hasBegun = true
        return work()
      }
      try {
        await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? begin() : undefined))
      } catch {
        if (!hasBegun) await begin()
      }
      return hasBegun
    },
  }
}

/** Listens on the window, which also gets the document's events. A server has no window. */
function listen(types: readonly string[], heard: (event: Event & Partial<MouseEvent>) => void): () => void {
  if (typeof globalThis.addEventListener !== 'function') return () => {}
  outside(() => {
    for (const type of types) addEventListener(type, heard, LISTEN)
  })
  return () => {
    for (const type of types) removeEventListener(type, heard, LISTEN)
  }
}

function outside<T>(work: () => T): T {
  const { Zone } = globalThis as { Zone?: { root?: { run?: (work: () => T) => T } } }
  return typeof Zone?.root?.run === 'function' ? Zone.root.run(work) : work()
}
