// The events of a manager. Listeners are only called for events that the manager dispatches: a listener can reach the target
// through its event and dispatch its own events there.

import { isObject } from './object.js'

type Listener = (this: unknown, event: Event) => void

export interface Events {
  /**
   * `members` become own properties of the event. Never throws: what a page's patched event functions throw is an unhandled rejection, as for
   * the app's monitoring, and the event is lost.
   */
  dispatch(type: string, members: Record<string, unknown>): void
  /** Like the platform's `addEventListener`. */
  add(...args: unknown[]): void
  /** Like the platform's `removeEventListener`. */
  remove(...args: unknown[]): void
  /** Calls `listener` without arguments on each `change`. Returns a function that unsubscribes it. */
  subscribe(listener: () => void): () => void
}

export function createEvents(): Events {
  // Some platforms do not have the class.
  const target = typeof EventTarget === 'function' ? new EventTarget() : undefined
  // One wrapper for each listener, so that the platform recognises a listener that is added or removed again.
  const wrapped = new WeakMap<object, Listener>()
  /** The event that is being dispatched. */
  let current: Event | undefined

  /** The platform refuses a value that is not a listener. */
  function wrap([type, listener, ...more]: unknown[]): Parameters<EventTarget['addEventListener']> {
    let heard = listener
    if (isObject(listener)) {
      heard = wrapped.get(listener)
      if (!heard) {
        wrapped.set(
          listener,
          (heard = function (this: unknown, event: Event) {
            if (event !== current) return
            if (typeof listener === 'function') (listener as Listener).call(this, event)
            else (listener as EventListenerObject).handleEvent(event)
          }),
        )
      }
    }
    return [type, heard, ...more] as Parameters<EventTarget['addEventListener']>
  }

  const add = (...args: unknown[]): void => target?.addEventListener(...wrap(args))
  const remove = (...args: unknown[]): void => target?.removeEventListener(...wrap(args))

  return {
    // `async` catches what it throws, but does not delay it.
    async dispatch(type, members) {
      if (!target) return
      const event = new Event(type)
      for (const name of Object.keys(members)) {
        Object.defineProperty(event, name, {
          __proto__: null,
          value: members[name],
          enumerable: true,
        } as PropertyDescriptor)
      }
      // A listener may cause another event, so restore the outer one afterwards.
      const outer = current
      current = event
      try {
        target.dispatchEvent(event)
      } finally {
        current = outer
      }
    },
    add,
    remove,
    subscribe(listener) {
      // A new function each time, so that one listener may subscribe twice.
      const call = () => listener()
      add('change', call)
      return () => remove('change', call)
    },
  }
}

/** Whether an argument is an event, from any realm or library: `onClick` passes one. */
export function isEvent(value: unknown): boolean {
  try {
    const { type, preventDefault } = value as Event
    return typeof type === 'string' && typeof preventDefault === 'function'
  } catch {
    return false
  }
}
