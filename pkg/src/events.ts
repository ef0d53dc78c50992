// The events of a manager. Its listeners hear what the manager dispatches, and nothing else: a listener gets to the target by
// its event, and may dispatch there what it likes.

import { isObject } from './object.js';

type Listener = (this: unknown, event: Event) => void;

export interface Events {
  /** `members` are the event's own. */
  dispatch(type: string, members: Record<string, unknown>): void;
  /** As the platform's `addEventListener`. */
  add(...args: unknown[]): void;
  /** As the platform's `removeEventListener`. */
  remove(...args: unknown[]): void;
  /** Calls `listener` at each `change`, and hands it nothing. Returns the function that ends this. */
  subscribe(listener: () => void): () => void;
}

export function createEvents(): Events {
  // None where the platform has no such class.
  const target = typeof EventTarget === 'function' ? new EventTarget() : undefined;
  // One for each listener, so that the platform knows a listener again.
  const wrapped = new WeakMap<object, Listener>();
  /** The event that is being dispatched. */
  let current: Event | undefined;

  /** What is no listener is left for the platform to refuse. */
  function wrap([type, listener, ...more]: unknown[]): Parameters<EventTarget['addEventListener']> {
    let heard = listener;
    if (isObject(listener)) {
      heard = wrapped.get(listener);
      if (!heard) {
        wrapped.set(listener, (heard = function (this: unknown, event: Event) {
          if (event !== current) return;
          if (typeof listener === 'function') (listener as Listener).call(this, event);
          else (listener as EventListenerObject).handleEvent(event);
        }));
      }
    }
    return [type, heard, ...more] as Parameters<EventTarget['addEventListener']>;
  }

  const add = (...args: unknown[]): void => target?.addEventListener(...wrap(args));
  const remove = (...args: unknown[]): void => target?.removeEventListener(...wrap(args));

  return {
    dispatch(type, members) {
      if (!target) return;
      const event = new Event(type);
      for (const name of Object.keys(members)) {
        Object.defineProperty(event, name, { __proto__: null, value: members[name], enumerable: true } as PropertyDescriptor);
      }
      // A listener may bring about the next one.
      const outer = current;
      current = event;
      target.dispatchEvent(event);
      current = outer;
    },
    add,
    remove,
    subscribe(listener) {
      // Its own, so that one listener may subscribe twice.
      const call = () => listener();
      add('change', call);
      return () => remove('change', call);
    },
  };
}

/** Whether an argument is an event, of whatever realm or library: what an `onClick` hands over. */
export function isEvent(value: unknown): boolean {
  try {
    const { type, preventDefault } = value as Event;
    return typeof type === 'string' && typeof preventDefault === 'function';
  } catch {
    return false;
  }
}
