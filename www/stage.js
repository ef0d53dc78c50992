// @ts-check
// Shows one scene at a time. A scene begins with an action of the user, ends when everything has settled, and is shown
// until the next one begins. The package's own actions in between are only in the log of events.

import { $, make } from './dom.js'
import { observe } from './observe.js'
import { facts } from './scene.js'
import * as server from './server.js'
import { SKETCH } from './sketch.js'
import { draw } from './timeline.js'
import { hearTraffic } from './traffic.js'
import { caption, rows, serverSaw } from './words.js'

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {import('./observe.js').Request} Request */

const FRAME = 100

/** `traffic`: the channel of a worker that sends for the page. @param {string} [traffic] */
export function createStage(traffic) {
  const svg = $('timeline', SVGSVGElement)
  const idle = $('caption').textContent ?? ''
  /** @type {Scene} */
  let scene = SKETCH
  /** The number of running actions. Actions that begin meanwhile belong to the same scene. */
  let acting = 0
  /** The number of the server's last log entry before the scene. */
  let before = 0
  /** @type {number | undefined} */
  let frames
  /** @type {Set<Request>} */
  const onTheWire = new Set()

  /** @param {Request} request */
  const note = (request) => {
    if (request.path.startsWith('/demo/')) return
    if (request.end !== undefined) onTheWire.delete(request)
    else {
      onTheWire.add(request)
      if (acting) scene.requests.push(request)
    }
  }
  observe(note)
  const worker = traffic === undefined ? undefined : hearTraffic(traffic, note)

  async function begin() {
    scene = { calls: [], requests: [...onTheWire] }
    svg.dataset.state = 'running'
    $('server-saw').textContent = ''
    frames = setInterval(() => show('running'), FRAME)
    before = (await server.seen())?.at(-1)?.n ?? 0
  }

  async function finish() {
    clearInterval(frames)
    const shown = scene
    show('running')
    $('data').replaceChildren(...rows(shown).map(row))
    const entries = await server.seen()
    if (shown !== scene) return
    if (entries) $('server-saw').textContent = serverSaw(entries.filter(({ n }) => n > before))
    show('done')
  }

  /** @param {'sketch' | 'running' | 'done'} state */
  function show(state) {
    const words = state === 'sketch' ? idle : caption(scene)
    draw(svg, scene, scene !== SKETCH)
    svg.dataset.state = state
    svg.setAttribute('aria-label', state === 'sketch' ? 'A sketch of what will be drawn here' : `Timeline: ${words}`)
    $('caption').setAttribute('aria-busy', String(state === 'running'))
    // Lines break between facts, not within one.
    $('caption').replaceChildren(
      ...words.split(' · ').flatMap((part, n) => (n ? [' · ', make('span', part)] : [make('span', part)])),
    )
    const { calls, refused, refreshes, answered, failed } = facts(scene)
    Object.assign(svg.dataset, { calls, refused, refreshes: refreshes.length, answered, failed: failed.length })
  }

  /** Draws again when the width changes. */
  let width = 0
  new ResizeObserver(() => {
    if (width !== svg.clientWidth) draw(svg, scene, scene !== SKETCH)
    width = svg.clientWidth
  }).observe(svg)

  return {
    /**
     * Does `work` on the stage. Resolves to the scene.
     * @param {() => Promise<unknown>} work
     */
    async act(work) {
      if (!acting++) await begin()
      try {
        await work()
        await worker?.settled()
        return scene
      } finally {
        if (!--acting) await finish()
      }
    },

    /** Makes a call of the app. @param {string} path @param {typeof fetch} send */
    async call(path, send) {
      /** @type {import('./scene.js').Call} */
      const call = { path, start: performance.now(), end: undefined }
      scene.calls.push(call)
      try {
        call.status = (await send(path)).status
      } catch (error) {
        call.error = /** @type {Error} */ (error)
      }
      call.end = performance.now()
    },

    /** Shows the sketch again. */
    clear() {
      scene = SKETCH
      $('server-saw').textContent = ''
      $('data').replaceChildren()
      show('sketch')
    },
  }
}

/** @param {string[]} cells */
function row([what = '', ...cells]) {
  const made = make('tr')
  const head = make('th', what)
  head.setAttribute('scope', 'row')
  made.append(head, ...cells.map((cell) => make('td', cell)))
  return made
}
