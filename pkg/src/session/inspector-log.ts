// The console output: a line for each call when it has ended, and for each event.

import type { Inspector } from './inspector.js'

/** Returns a function that stops the output. */
export function logTo(console: Pick<Console, 'info' | 'warn'>, inspector: Inspector): () => void {
  let logged = new Set<number>()
  return inspector.subscribe(() => {
    const ended = inspector.entries.filter((entry) => entry.kind === 'event' || entry.took !== undefined)
    const fresh = ended.filter(({ id }) => !logged.has(id))
    logged = new Set(ended.map(({ id }) => id))
    for (const entry of fresh) console[isBad(entry) ? 'warn' : 'info'](`tokenkeep: ${line(entry)}`)
  })
}

type Entry = Inspector['entries'][number]

/** Whether an entry reports a problem. */
export function isBad(entry: Entry): boolean {
  return entry.kind === 'call' ? entry.status === 401 || !!entry.error : /^(ready|refresherror)$/.test(entry.type)
}

/** Formats an entry as one line. */
export function line(entry: Entry): string {
  if (entry.kind === 'event') return `${entry.type}: ${entry.text}`
  const { method = '', url, status, error, took } = entry
  return `${method} ${url} ${status ?? error ?? ''}${took === undefined ? '' : ` (${Math.round(took)} ms)`}: ${entry.text}`.trim()
}
