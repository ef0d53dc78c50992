// What the pages have told the worker of themselves: it has no document, no cookies and no storage. What is built for the worker asks here
// in their place (see build.mjs).

import type { Facts } from './messages.js';

/** The last word of any page on what is the same for all of them. */
export const told = {
  cookies: { __proto__: null } as unknown as Facts['cookies'],
  marks: { __proto__: null } as unknown as Record<string, string>,
  controlled: false,
  maybeSignIn: false,
  /** Whether any page can be seen. */
  visible: true,
  /** Hands a mark to the pages, to be stored. */
  mark: (() => {}) as (key: string, text: string | undefined) => void,
};

/** Says to whoever listens for it that a page was come back to, or is seen or hidden now. */
export function shown(persisted: boolean): void {
  const event = new Event('pageshow');
  Object.defineProperty(event, 'persisted', { __proto__: null, value: persisted } as PropertyDescriptor);
  dispatchEvent(event);
}
