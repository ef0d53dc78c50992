// The panel: a custom element with its own style. It uses a style sheet that a Content-Security-Policy allows, and never parses text as
// HTML.

import type { Inspected, Inspector } from './inspector.js'
import { isBad, line } from './inspector-log.js'

const TAG = 'tokenkeep-inspector'
type Entry = Inspector['entries'][number]

const STYLE = `
:host{all:initial;color-scheme:light dark;--back:#fff;--fore:#1b1d22;--dim:#5c6370;--edge:#cfd4dd;--good:#0a6b3d;--bad:#b3261e;--wait:#8a5300;--focus:#0b57d0;
position:fixed;inset:auto .75rem .75rem auto;z-index:2147483647;width:min(34rem,calc(100vw - 1.5rem));font:13px/1.45 system-ui,sans-serif;color:var(--fore)}
:host([inline]){position:static;display:block;width:auto}
@media (prefers-color-scheme:dark){:host{--back:#1b1d22;--fore:#e8eaee;--dim:#a3abba;--edge:#3b404b;--good:#6fd39b;--bad:#ff9b91;--wait:#f2c063;--focus:#a8c7fa}}
details{background:var(--back);border:1px solid var(--edge);border-radius:8px;box-shadow:0 4px 24px #0003;overflow:hidden}
:host([inline]) details{box-shadow:none}
summary{padding:.5rem .75rem;cursor:pointer;display:flex;gap:.25rem .75rem;flex-wrap:wrap;align-items:baseline}
summary::before{content:"▸";color:var(--dim)}[open] summary::before{content:"▾"}
summary::-webkit-details-marker{display:none}
b{font-weight:600}.dim,time{color:var(--dim)}
.bar{display:flex;gap:.5rem;align-items:center;padding:.25rem .75rem .5rem;border-bottom:1px solid var(--edge)}
.bar label{margin-inline-end:auto;display:flex;gap:.35rem;align-items:center}
button{font:inherit;color:inherit;background:none;border:1px solid var(--edge);border-radius:6px;padding:.1rem .6rem;cursor:pointer}
:focus-visible{outline:2px solid var(--focus);outline-offset:-2px}
ol{margin:0;padding:0;list-style:none;max-height:min(22rem,50vh);overflow:auto}
li{padding:.4rem .75rem;border-bottom:1px solid var(--edge)}li:last-child{border:0}
.head{display:flex;flex-wrap:wrap;gap:0 .6rem;align-items:baseline}
code{font:12px/1.45 ui-monospace,monospace;overflow-wrap:anywhere;flex:1 1 14rem}
p{margin:.1rem 0 0;color:var(--dim)}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}
ol.bad-only li:not([data-bad]){display:none}
ol:empty::after{content:"Nothing yet. Calls of auth.fetch and events are shown here.";display:block;padding:.75rem;color:var(--dim)}`

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children)
  return element
}

/** Shortens a URL of the page's own origin. */
const short = (url: string): string => (url.startsWith(`${location.origin}/`) ? url.slice(location.origin.length) : url)

function row(entry: Entry): Node[] {
  const time = make('time', '', new Date(entry.at).toLocaleTimeString())
  if (entry.kind === 'event')
    return [make('div', 'head', time, make('b', isBad(entry) ? 'bad' : '', entry.type)), make('p', '', entry.text)]
  const { method, url, status, error, took } = entry
  const isOver = took !== undefined
  const end = make('b', isOver ? (isBad(entry) ? 'bad' : 'good') : 'wait', isOver ? `${status ?? error}` : 'pending')
  const address = make('code', '', `${method ?? ''} ${short(url)}`.trim())
  const head = make(
    'div',
    'head',
    time,
    address,
    end,
    ...(isOver ? [make('span', 'dim', `${Math.round(took)} ms`)] : []),
  )
  return [head, make('p', '', entry.text)]
}

function summed(entries: readonly Entry[]): string {
  const calls = entries.filter((entry) => entry.kind === 'call')
  const count = (test: (call: (typeof calls)[number]) => boolean): number => calls.filter(test).length
  return [
    `${calls.length} calls`,
    `${count(({ decision }) => decision === 'waited')} waited`,
    `${count(({ sendings }) => sendings.length > 1)} sent again`,
    `${count(({ decision }) => decision === 'passed')} without token`,
    `${entries.filter((entry) => entry.kind === 'event' && entry.type === 'refresh').length} refreshed`,
  ].join(' · ')
}

/** Opens the panel, and returns a function that closes it. `place` is `true` for the page's corner. */
export function openPanel(auth: Pick<Inspected, 'state'>, inspector: Inspector, place: true | Element): () => void {
  // Not at module scope: without a page, the class `HTMLElement` does not exist.
  if (!customElements.get(TAG)) customElements.define(TAG, class extends HTMLElement {})
  const host = document.createElement(TAG)
  const shadow = host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(STYLE)
  shadow.adoptedStyleSheets = [sheet]

  const state = make('span', '')
  const counts = make('span', 'dim')
  const summary = make('summary', '', make('b', '', 'tokenkeep'), state, counts)
  const list = make('ol', '')
  // The list scrolls, so it must be reachable by keyboard.
  list.tabIndex = 0
  list.setAttribute('aria-label', 'Calls and events, newest first')
  const only = make('input', '')
  only.type = 'checkbox'
  only.onchange = () => void list.classList.toggle('bad-only', only.checked)
  const copy = make('button', '', 'Copy')
  copy.onclick = () => {
    const text = inspector.entries.map((entry) => `${new Date(entry.at).toISOString()} ${line(entry)}`).join('\n')
    // An insecure context has no clipboard.
    Promise.resolve(navigator.clipboard?.writeText(text).then(() => 'Copied')).then(
      (said) => (copy.textContent = said ?? 'No clipboard here'),
      () => (copy.textContent = 'Not allowed'),
    )
  }
  const clear = make('button', '', 'Clear')
  clear.onclick = inspector.clear
  const details = make(
    'details',
    '',
    summary,
    make('div', 'bar', make('label', '', only, 'Only problems'), copy, clear),
    list,
  )
  details.open = true
  details.onkeydown = ({ key }) => {
    if (key !== 'Escape') return
    details.open = false
    summary.focus()
  }
  shadow.append(details)

  const rows = new Map<number, { entry: Entry; item: HTMLLIElement }>()
  let frame = 0
  const draw = (): void => {
    frame = 0
    const { status, expiresAt } = auth.state
    state.textContent = status
    state.className = status === 'signed-in' ? 'good' : status === 'unknown' ? 'wait' : 'bad'
    if (expiresAt !== null) state.title = `The token expires at ${new Date(expiresAt).toLocaleTimeString()}.`
    else state.removeAttribute('title')
    const { entries } = inspector
    counts.textContent = summed(entries)
    const ids = new Set(entries.map(({ id }) => id))
    for (const [id, { item }] of rows) {
      if (ids.has(id)) continue
      item.remove()
      rows.delete(id)
    }
    for (const entry of entries) {
      const shown = rows.get(entry.id)
      if (shown?.entry === entry) continue
      const item = shown?.item ?? make('li', '')
      item.replaceChildren(...row(entry))
      item.toggleAttribute('data-bad', isBad(entry))
      if (!shown) list.prepend(item)
      rows.set(entry.id, { entry, item })
    }
  }
  // Draw at most once per frame, however many calls there are.
  const ask = (): void => void (frame ||= requestAnimationFrame(draw))
  const unsubscribe = inspector.subscribe(ask)
  draw()
  host.toggleAttribute('inline', place !== true)
  ;(place === true ? (document.body ?? document.documentElement) : place).append(host)
  return () => {
    unsubscribe()
    cancelAnimationFrame(frame)
    host.remove()
  }
}
