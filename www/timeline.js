// @ts-check
// The picture: what happened, drawn from left to right. The calls to the auth server on top, below them a line for
// each call of the app. A refresh shades the time it took across all lines.

import { authRequests, facts, isGood, tries } from './scene.js';
import { duration } from './words.js';

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {import('./scene.js').Call} Call */
/** @typedef {import('./scene.js').AuthRequest} AuthRequest */
/** @typedef {(time: number) => number} Scale */

const SVG = 'http://www.w3.org/2000/svg';
const PAD = 6;
const LANE = 34;
/** The lines of all calls together are about as high as this. */
const HEIGHT = 300;
const AXIS = 28;

/** Draws the scene as it is now. @param {SVGSVGElement} svg @param {Scene} scene */
export function draw(svg, scene) {
  const width = Math.max(svg.clientWidth, 240);
  const auth = authRequests(scene);
  const { start, span } = facts(scene);
  /** @type {Scale} */
  const x = (time) => PAD + ((time - start) / span) * (width - 2 * PAD);

  const line = Math.min(20, Math.max(3, Math.floor(HEIGHT / Math.max(scene.calls.length, 1))));
  const top = auth.length * LANE + 4;
  const bottom = top + line * scene.calls.length + 4;
  const height = bottom + AXIS;

  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('height', String(height));
  svg.replaceChildren(
    hatch(),
    ...axis(span, bottom, width),
    ...auth.filter(({ kind }) => kind === 'refresh').map((refresh) => bar('band', x, refresh, 0, bottom)),
    ...scene.calls.flatMap((call, index) => callLine(scene, call, x, top + index * line, line)),
    ...auth.flatMap((request, lane) => authLane(request, auth, x, lane * LANE, width)),
  );
}

/** First try, wait, second try. @param {Scene} scene @param {Call} call @param {Scale} x @param {number} y @param {number} line */
function callLine(scene, call, x, y, line) {
  const parts = [];
  let since = call.start;
  for (const request of tries(scene, call)) {
    parts.push(...wait(x, since, request.start, y, line), ...attempt(request, x, y, line));
    since = request.end ?? performance.now();
  }
  parts.push(...wait(x, since, call.end ?? performance.now(), y, line));
  if (call.error) parts.push(cross(x(call.end ?? since), y + line / 2, Math.min(line * 0.8, 10) / 2));
  return parts;
}

/** Thin, with a cap, where it was refused; thick where it was answered. @param {import('./scene.js').Request} request @param {Scale} x @param {number} y @param {number} line */
function attempt(request, x, y, line) {
  if (request.end === undefined) return [bar('flying', x, request, y + line * 0.2, line * 0.6)];
  if (isGood(request.status)) return [bar('answered', x, request, y + line * 0.1, line * 0.8)];
  return [
    bar('refused', x, request, y + line * 0.3, line * 0.4),
    rect('cap', x(request.end) - 3, y + line * 0.05, 3, line * 0.9),
  ];
}

/** Below a millisecond there is nothing to see. @param {Scale} x @param {number} from @param {number} to @param {number} y @param {number} line */
function wait(x, from, to, y, line) {
  return to - from < 1 ? [] : [bar('wait', x, { start: from, end: to }, y + line * 0.2, line * 0.6)];
}

/** @param {AuthRequest} request @param {AuthRequest[]} all @param {Scale} x @param {number} y @param {number} width */
function authLane(request, all, x, y, width) {
  const isBad = request.end !== undefined && !isGood(request.status);
  const box = bar(`auth ${request.kind}${isBad ? ' bad' : ''}`, x, request, y + 3, LANE - 8, 4);
  const same = all.filter(({ kind }) => kind === request.kind);
  const name = same.length === 1 ? `1 ${request.kind}` : `${request.kind} ${same.indexOf(request) + 1} of ${same.length}`;
  const took = request.end === undefined ? '…' : ` · ${isBad ? `${request.status ?? 'no answer'} · ` : ''}${duration(request.end - request.start)}`;
  const label = text('label', 0, y + LANE / 2 + 4, name + took);

  // In the bar, else beside it, on the side where there is room.
  const [from, to] = [x(request.start), x(request.end ?? performance.now())];
  const needs = (name + took).length * 7.6 + 12;
  if (to - from > needs) {
    label.classList.add('inside');
    place(label, (from + to) / 2, 'middle');
  } else if (width - to > needs) place(label, to + 8, 'start');
  else place(label, from - 8, 'end');
  return [box, label];
}

/** @param {SVGElement} label @param {number} x @param {string} anchor */
function place(label, x, anchor) {
  label.setAttribute('x', String(x));
  label.setAttribute('text-anchor', anchor);
}

/** @param {number} span @param {number} y @param {number} width */
function axis(span, y, width) {
  const step = niceStep(span / (width / 90));
  const parts = [rect('axis', PAD, y, width - 2 * PAD, 1)];
  for (let time = 0; time <= span; time += step) {
    const at = PAD + (time / span) * (width - 2 * PAD);
    parts.push(rect('axis', at, y, 1, 5));
    const label = text('tick', at, y + 19, time ? duration(time) : '0');
    label.setAttribute('text-anchor', time === 0 ? 'start' : at > width - 30 ? 'end' : 'middle');
    parts.push(label);
  }
  return parts;
}

/** 1, 2 or 5 with zeros, and at least `least`. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, power * ([1, 2, 5].find((step) => step * power >= least) ?? 10));
}

/** Stripes for the time a call waits. */
function hatch() {
  const pattern = element('pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
  pattern.append(rect('hatch-ground', 0, 0, 6, 6), rect('hatch-stripe', 0, 0, 2, 6));
  return pattern;
}

/** @param {string} kind @param {Scale} x @param {{ start: number, end: number | undefined }} times @param {number} y @param {number} height @param {number} [radius] */
function bar(kind, x, { start, end = performance.now() }, y, height, radius = Math.min(height / 3, 3)) {
  return rect(kind, x(start), y, Math.max(x(end) - x(start), 2), height, radius);
}

/** @param {string} kind @param {number} x @param {number} y @param {number} width @param {number} height @param {number} [rx] */
function rect(kind, x, y, width, height, rx = 0) {
  return element('rect', { class: kind, x, y, width, height, rx });
}

/** @param {number} x @param {number} y @param {number} half */
function cross(x, y, half) {
  return element('path', { class: 'cross', d: `M${x - 2 * half} ${y - half}l${2 * half} ${2 * half}m0 ${-2 * half}l${-2 * half} ${2 * half}` });
}

/** @param {string} kind @param {number} x @param {number} y @param {string} words */
function text(kind, x, y, words) {
  const label = element('text', { class: kind, x, y });
  label.textContent = words;
  return label;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(typeof value === 'number' ? Math.round(value * 100) / 100 : value));
  return /** @type {SVGElement} */ (made);
}
