// Stands for `src/browser/fetch.js` in the worker, for the calls of the manager's own. They set the cookie, so the worker lasts until they are
// answered.

import { transmit as send } from '#fetch';

export * from '#fetch';

const underWay = new Set<Promise<unknown>>();

/** See `transmit` there. */
export function transmit(...args: Parameters<typeof send>): Promise<unknown> {
  const answer = send(...args);
  underWay.add(answer);
  const over = () => underWay.delete(answer);
  answer.then(over, over);
  return answer;
}

/** Fulfils as soon as none is under way. */
export async function calm(): Promise<void> {
  while (underWay.size) await Promise.allSettled(underWay);
}
