// Replaces `src/browser/fetch.js` in the worker, and counts the manager's own calls. They set the cookie, so the worker
// must not end before they are answered.

import { transmit as send } from '#fetch'

export * from '#fetch'

const underWay = new Set<Promise<unknown>>()

/** See `transmit` in `src/browser/fetch.js`. */
export function transmit(...args: Parameters<typeof send>): Promise<unknown> {
  const answer = send(...args)
  underWay.add(answer)
  const over = () => underWay.delete(answer)
  answer.then(over, over)
  return answer
}

/** Resolves when no call is in flight. */
export async function calm(): Promise<void> {
  while (underWay.size) await Promise.allSettled(underWay)
}
