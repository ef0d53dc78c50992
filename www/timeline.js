// @ts-check
// The picture: time runs from left to right. The calls to the auth server are at the top, with a line below them for
// each call of the app. A refresh shades its time across all lines.

import { authRequests, facts, isGood, tries } from './scene.js'
import { duration } from './words.js'

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {import('./scene.js').Call} Call */
/** @typedef {import('./scene.js').AuthRequest} AuthRequest */
/** @typedef {(time: number) => number} Scale */

const SVG = 'http://www.w3.org/2000/svg'
const PAD = 6
const LANE = 34
/** The approximate height of the lines of all calls together. */
const HEIGHT = 300
const AXIS = 28

/**
 * Draws the scene in its present state. Times are shown only if they were measured.
 * @param {SVGSVGElement} svg @param {Scene} scene @param {boolean} measured
 */
export function draw(svg, scene, measured) {
  const width = Math.max(svg.clientWidth, 240)
  const auth = authRequests(scene)
  const { start, span } = facts(scene)
  /** @type {Scale} */
  const x = (time) => PAD + ((time - start) / span) * (width - 2 * PAD)

  const line = Math.min(20, Math.max(3, Math.floor(HEIGHT / Math.max(scene.calls.length, 1))))
  const top = auth.length * LANE + 4
  const bottom = top + line * scene.calls.length + 4
  const isEmpty = !auth.length && !scene.calls.length
  const height = isEmpty ? 1 : bottom + AXIS

  svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
  svg.setAttribute('height', String(height))
  svg.replaceChildren(
    hatch(),
    ...(measured && !isEmpty ? axis(span, bottom, width) : []),
    ...auth
      .filter(({ kind }) => kind === 'refresh' && scene.calls.length)
      .map((refresh) => bar('band', x, refresh, 0, bottom)),
    ...scene.calls.flatMap((call, index) => callLine(scene, call, x, top + index * line, line)),
    ...auth.flatMap((request, lane) => authLane(request, auth, x, lane * LANE, width, measured)),
  )
}

/**
 * First try, wait, second try.
 * @param {Scene} scene @param {Call} call @param {Scale} x @param {number} y @param {number} line
 */
function callLine(scene, call, x, y, line) {
  const parts = []
  let since = call.start
  for (const request of tries(scene, call)) {
    parts.push(...wait(x, since, request.start, y, line), ...attempt(request, x, y, line))
    since = request.end ?? performance.now()
  }
  parts.push(...wait(x, since, call.end ?? performance.now(), y, line))
  if (call.error) parts.push(cross(x(call.end ?? since), y + line / 2, Math.min(line * 0.8, 10) / 2))
  return parts
}

/**
 * Draws a request: thin, with a cap, if it was refused; thick if it was answered.
 * @param {import('./scene.js').Request} request @param {Scale} x @param {number} y @param {number} line
 */
function attempt(request, x, y, line) {
  if (request.end === undefined) return [bar('flying', x, request, y + line * 0.2, line * 0.6)]
  if (isGood(request.status)) return [bar('answered', x, request, y + line * 0.1, line * 0.8)]
  return [
    bar('refused', x, request, y + line * 0.3, line * 0.4),
    rect('cap', x(request.end) - 3, y + line * 0.05, 3, line * 0.9),
  ]
}

/**
 * Draws a wait, unless it is too short to be seen.
 * @param {Scale} x @param {number} from @param {number} to @param {number} y @param {number} line
 */
function wait(x, from, to, y, line) {
  if (x(to) - x(from) < 4) return []
  const made = bar('wait', x, { start: from, end: to }, y + line * 0.2, line * 0.6)
  made.setAttribute('fill', 'url(#hatch)')
  return [made]
}

/**
 * @param {AuthRequest} request
 * @param {AuthRequest[]} all
 * @param {Scale} x
 * @param {number} y
 * @param {number} width
 * @param {boolean} measured
 */
function authLane(request, all, x, y, width, measured) {
  const { kind, end, status } = request
  const isBad = end !== undefined && !isGood(status)
  const box = bar(`auth ${kind}${isBad ? ' bad' : ''}`, x, request, y + 3, LANE - 8, 4)
  const same = all.filter((other) => other.kind === kind)
  const name = same.length === 1 ? `1 ${kind}` : `${kind} ${same.indexOf(request) + 1} of ${same.length}`
  const more = [name]
  if (isBad) more.push(String(status ?? 'no answer'))
  if (measured) more.push(end === undefined ? '…' : duration(end - request.start))
  const right = x(end ?? performance.now())
  const spot = place(more.join(' · '), x(request.start), right, width) ?? place(name, x(request.start), right, width)
  if (!spot) return [box]
  const label = element('text', {
    class: `label ${spot.where}`,
    x: spot.x,
    y: y + LANE / 2 + 4,
    'text-anchor': spot.anchor,
  })
  label.textContent = spot.words
  return [box, label]
}

/**
 * Places the label in the bar, or beside it, on the side with room.
 * @param {string} words @param {number} from @param {number} to @param {number} width
 */
function place(words, from, to, width) {
  const needs = words.length * 7.6 + 12
  if (to - from > needs) return { words, where: 'inside', x: (from + to) / 2, anchor: 'middle' }
  if (width - to > needs) return { words, where: 'beside', x: to + 8, anchor: 'start' }
  if (from > needs) return { words, where: 'beside', x: from - 8, anchor: 'end' }
}

/** @param {number} span @param {number} y @param {number} width */
function axis(span, y, width) {
  const step = niceStep(span / (width / 90))
  const parts = [rect('axis', PAD, y, width - 2 * PAD, 1)]
  for (let time = 0; time <= span; time += step) {
    const at = PAD + (time / span) * (width - 2 * PAD)
    parts.push(rect('axis', at, y, 1, 5))
    const anchor = time === 0 ? 'start' : at > width - 30 ? 'end' : 'middle'
    const label = element('text', { class: 'tick', x: at, y: y + 19, 'text-anchor': anchor })
    label.textContent = time ? duration(time) : '0'
    parts.push(label)
  }
  return parts
}

/** The smallest of 1, 2 and 5, times a power of ten, that is at least `least`. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least))
  return Math.max(1, power * ([1, 2, 5].find((step) => step * power >= least) ?? 10))
}

/** Stripes for the time a call waits. */
function hatch() {
  const pattern = element('pattern', {
    id: 'hatch',
    width: 6,
    height: 6,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  })
  pattern.append(rect('hatch-ground', 0, 0, 6, 6), rect('hatch-stripe', 0, 0, 2, 6))
  return pattern
}

/**
 * @param {string} kind
 * @param {Scale} x
 * @param {{ start: number, end: number | undefined }} times
 * @param {number} y
 * @param {number} height
 * @param {number} [radius]
 */
function bar(kind, x, { start, end = performance.now() }, y, height, radius = Math.min(height / 3, 3)) {
  return rect(kind, x(start), y, Math.max(x(end) - x(start), 2), height, radius)
}

/**
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} [rx]
 */
function rect(kind, x, y, width, height, rx = 0) {
  return element('rect', { class: kind, x, y, width, height, rx })
}

/** @param {number} x @param {number} y @param {number} half */
function cross(x, y, half) {
  return element('path', {
    class: 'cross',
    d: `M${x - 2 * half} ${y - half}l${2 * half} ${2 * half}m0 ${-2 * half}l${-2 * half} ${2 * half}`,
  })
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function element(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, typeof value === 'number' ? value.toFixed(2) : value)
  }
  return /** @type {SVGElement} */ (made)
}
