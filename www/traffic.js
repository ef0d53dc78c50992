// @ts-check
// Reports a worker's traffic to the page that draws it: where a request went, when, and the status of its answer. The
// clocks of a page and a worker start at different moments, so times are sent as wall-clock times.

import { observe } from './observe.js'

/** @typedef {import('./observe.js').Request} Request */

/** How long to wait for a worker that has not started or has ended, in milliseconds. */
const PATIENCE = 1000

/** In the worker. @param {string} name */
export function tellTraffic(name) {
  const channel = new BroadcastChannel(name)
  /** @type {WeakMap<Request, number>} */
  const numbers = new WeakMap()
  let last = 0
  observe((request) => {
    const id = numbers.get(request) ?? ++last
    numbers.set(request, id)
    const { timeOrigin } = performance
    const { path, start, end, status } = request
    channel.postMessage({
      id,
      path,
      start: start + timeOrigin,
      end: end === undefined ? end : end + timeOrigin,
      status,
    })
  })
  channel.onmessage = ({ data }) => channel.postMessage({ told: data.asked })
}

/**
 * In the page. `settled` resolves when everything that the worker has sent so far has been reported.
 * @param {string} name @param {(request: Request) => void} report
 */
export function hearTraffic(name, report) {
  const channel = new BroadcastChannel(name)
  /** @type {Map<number, Request>} */
  const open = new Map()
  /** @type {Map<number, () => void>} */
  const waiting = new Map()
  channel.onmessage = ({ data }) => {
    if (data.told !== undefined) return waiting.get(data.told)?.()
    if (data.asked !== undefined) return
    const { timeOrigin } = performance
    const { id, path, start, end, status } = data
    const request = open.get(id) ?? { path, start: start - timeOrigin, end: undefined, status: undefined }
    if (end !== undefined) Object.assign(request, { end: end - timeOrigin, status })
    if (end === undefined) open.set(id, request)
    else open.delete(id)
    report(request)
  }
  return {
    settled: () =>
      new Promise((/** @type {(value: void) => void} */ resolve) => {
        const asked = Math.random()
        const late = setTimeout(resolve, PATIENCE)
        waiting.set(asked, () => {
          clearTimeout(late)
          waiting.delete(asked)
          resolve()
        })
        channel.postMessage({ asked })
      }),
  }
}
