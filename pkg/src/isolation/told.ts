// Facts that the pages have sent to the worker, which has no document, no cookies and no storage. Code built for the
// worker reads them from here (see build.mjs).

import type { Facts } from './messages.js'

/** The latest facts from any page. They are the same for all pages of the origin. */
export const told = {
  cookies: { __proto__: null } as unknown as Facts['cookies'],
  marks: { __proto__: null } as unknown as Record<string, string>,
  controlled: false,
  maybeSignIn: false,
  /** Whether any page is visible. */
  visible: true,
  /** Sends a mark to the pages, which store it. */
  mark: (() => {}) as (key: string, text: string | undefined) => void,
}

/** Dispatches `pageshow` in the worker: a page was shown again, or the visibility has changed. */
export function shown(persisted: boolean): void {
  const event = new Event('pageshow')
  Object.defineProperty(event, 'persisted', { __proto__: null, value: persisted } as PropertyDescriptor)
  dispatchEvent(event)
}
