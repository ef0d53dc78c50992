// What the tests do where the manager lives, by name: in the page, or in the worker that keeps the token, whose policy takes no code in a
// message.

export { installClock } from './clock.js'
export { stopClocks, takeTime } from './time.js'

// With the platform's clocks in hand.
export const fastForward = (ms) => clock.fastForward(ms)
export const pass = (ms) => time.pass(ms)
export const set = (ms) => time.set(ms)
export const skip = (ms) => time.skip(ms)

/** Done as soon as all that was asked before has begun. */
export const nothing = () => {}

/** Before the manager: counts the calls to the refresh endpoint, and has each back-off last half as long as it may. */
export function countRefreshes() {
  Math.random = () => 0.5
  const send = globalThis.fetch
  globalThis.fetch = (...args) => {
    if (args[0].url === globalThis.refreshUrl) {
      globalThis.sent++
      globalThis.asked()
    }
    return send(...args)
  }
}

/** Counts from here. */
export function countAt(url) {
  globalThis.refreshUrl = url
  globalThis.sent = 0
  globalThis.isAsked = new Promise((resolve) => (globalThis.asked = resolve))
}

export const isAsked = () => globalThis.isAsked
export const sent = () => globalThis.sent

/** What a tab tells the others does not reach them. */
export function keepsNews() {
  BroadcastChannel.prototype.postMessage = () => {}
}

/** The body of the next answer to a refresh is held until the channel `flow` says so. `reading` is done when it is read. */
export function holdsBody() {
  const send = globalThis.fetch
  globalThis.reading = new Promise((reads) => {
    globalThis.fetch = async (...args) => {
      const response = await send(...args)
      if (!response.url.endsWith('/auth/refresh')) return response
      globalThis.fetch = send
      const flows = new Promise((flow) => ((globalThis.channel = new BroadcastChannel('flow')).onmessage = flow))
      const body = response.body.pipeThrough(
        new TransformStream({ transform: (chunk, out) => (reads(), flows.then(() => out.enqueue(chunk))) }),
      )
      return new Response(body, response)
    }
  })
}
export const reading = () => globalThis.reading

/** With time in hand: until the manager listens for the news of the tab before it. */
export async function listens() {
  // A quarter of a second, in slices of time in which the page could run.
  while (!time.ahead.includes(250 / 8)) await navigator.locks.query()
}
