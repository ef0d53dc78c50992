// A display of its own for a browser that needs one: on a shared display, two browsers take the focus from each other, and the pointer.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

// Without `-noreset` the display resets whenever its last window closes, and refuses connections meanwhile.
const ARGUMENTS = ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-noreset', '-nolisten', 'tcp']

/** Starts Xvfb, which chooses a free number itself. */
export async function startDisplay() {
  const child = spawn('Xvfb', ARGUMENTS, { stdio: ['ignore', 'pipe', 'ignore'] })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`Xvfb has ended (${code})`)
  })
  failed.catch(() => {})
  const [number] = await Promise.race([once(child.stdout, 'data'), failed])
  return {
    name: `:${String(number).trim()}`,
    close() {
      child.kill()
      return failed.catch(() => {})
    },
  }
}
