// What is said in the console, each text once: how the app or its page should be changed.

const said = new Set()

/** @param {string} text */
export function notice(text) {
  if (said.has(text)) return
  said.add(text)
  console.warn(`tokenkeep: ${text}`)
}

/** Says that the tabs know nothing of each other here. */
export function alone() {
  notice('no Web Locks or no BroadcastChannel here (are the page and its frame https?), so each tab refreshes on its own.')
}
