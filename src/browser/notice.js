// Warns in the console, once for each text, about something in the app or its page that should be changed.

const said = new Set()

/** @param {string} text */
export function notice(text) {
  if (said.has(text)) return
  said.add(text)
  try {
    console.warn(`tokenkeep: ${text}`)
  } catch {
    // A test environment may forbid warnings like this.
  }
}

/** Warns that the tabs cannot coordinate here. */
export function alone() {
  notice(
    'no Web Locks or no BroadcastChannel here (are the page and its frame https?), so each tab refreshes on its own.',
  )
}
