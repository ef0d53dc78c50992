// Stands for `src/browser/fetch.js` in the worker, for the calls of the manager's own. They set the cookie, so the worker lasts until they are
// answered.

import { transmit as send } from '#fetch';

export * from '#fetch';

let underWay = 0;
let calm: (() => void) | undefined;

/** See `transmit` there. */
export function transmit(...args: Parameters<typeof send>): Promise<unknown> {
  underWay++;
  const over = () => {
    if (!--underWay) calm?.();
  };
  const answer = send(...args);
  answer.then(over, over);
  return answer;
}

/** Calls `work` as soon as none is under way. */
export function whenCalm(work: () => void): void {
  if (underWay) calm = work;
  else work();
}
