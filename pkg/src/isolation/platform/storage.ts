// Replaces `src/browser/storage.js` in the worker: the pages store the marks.

import { told } from '../told.js'

export function marked(key: string): string | undefined {
  return told.marks[key]
}

export function mark(key: string, text?: string): void {
  if (text === undefined) delete told.marks[key]
  else told.marks[key] = text
  told.mark(key, text)
}
