// The console's lines: one for a call when it has ended, one for an event when it happens.

import type { Inspector } from './inspector.js';

/** Returns the function that ends it. */
export function logTo(console: Pick<Console, 'info' | 'warn'>, inspector: Inspector): () => void {
  let logged = new Set<number>();
  return inspector.subscribe(() => {
    const ended = inspector.entries.filter((entry) => entry.kind === 'event' || entry.took !== undefined);
    const fresh = ended.filter(({ id }) => !logged.has(id));
    logged = new Set(ended.map(({ id }) => id));
    for (const entry of fresh) console[isBad(entry) ? 'warn' : 'info'](`tokenkeep: ${line(entry)}`);
  });
}

type Entry = Inspector['entries'][number];

/** What the app may have to look at. */
export function isBad(entry: Entry): boolean {
  return entry.kind === 'call' ? entry.status === 401 || !!entry.error : /^(ready|refresherror)$/.test(entry.type);
}

/** An entry in a line. */
export function line(entry: Entry): string {
  if (entry.kind === 'event') return `${entry.type}: ${entry.text}`;
  const { method = '', url, status, error, took } = entry;
  return `${method} ${url} ${status ?? error ?? ''}${took === undefined ? '' : ` (${Math.round(took)} ms)`}: ${entry.text}`.trim();
}
