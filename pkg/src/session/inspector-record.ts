// Records what a manager reports, as immutable entries in a list that is replaced on each change.

import { PASS, WAIT } from '../core-interface.js'
import type { Inspected, InspectedCall, InspectedEvent, InspectedSending, Inspector } from './inspector.js'
import { createListeners } from './listeners.js'
import { callText, eventText } from './inspector-words.js'

type Entry = InspectedCall | InspectedEvent
type Draft = { -readonly [K in keyof InspectedCall]: InspectedCall[K] }
type Event = InspectedEvent['type']

const EVENTS = ['change', 'refresh', 'signout', 'refresherror', 'stepup'] as const
// The manager's hook for observers; see `Watch` in core-interface.ts.
const HOOK = Symbol.for('tokenkeep.watch')

/** Begins to record. `now` is the clock. */
export function record(auth: Inspected, limit: number, now: () => number): Inspector {
  let entries: readonly Entry[] = Object.freeze([])
  let last = 0
  const listeners = createListeners()

  function publish(next: readonly Entry[]): void {
    entries = Object.freeze(next.slice(-limit))
    listeners.tell()
  }

  function add(type: Event, text: string): void {
    publish([...entries, Object.freeze({ kind: 'event', id: ++last, at: now(), type, text })])
  }

  const heard = (event: { readonly type: string }): void =>
    add(event.type as Event, eventText(event, auth.state, now()))

  function watch(url: string, way: number | undefined, method?: string) {
    const { status, expiresAt } = auth.state
    const at = now()
    const decision = way === undefined ? 'own' : way === PASS ? 'passed' : way === WAIT ? 'waited' : 'sent'
    const call: Draft = {
      kind: 'call',
      id: ++last,
      at,
      method: decision === 'passed' ? method : (method ?? 'GET').toUpperCase(),
      url,
      decision,
      sendings: [],
      text: '',
    }
    const had = { status, left: expiresAt === null ? null : expiresAt - at }
    // The events since the call explain why a refused call was not sent again.
    const show = (): void => {
      const since = entries.filter((entry): entry is InspectedEvent => entry.kind === 'event' && entry.id > call.id)
      call.text = callText(
        call,
        had,
        since.map(({ type }) => type),
        auth.state.status,
      )
      const entry = Object.freeze({ ...call, sendings: Object.freeze([...call.sendings]) })
      const at = entries.findIndex(({ id }) => id === call.id)
      if (at >= 0) publish([...entries.slice(0, at), entry, ...entries.slice(at + 1)])
      // An entry that has been dropped meanwhile is not added again.
      else if (!isListed) publish([...entries, entry])
      isListed = true
    }
    let isListed = false
    show()
    return (token?: boolean) => {
      const at = now()
      const which = call.sendings.length
      const sending: InspectedSending = { at, token: !!token }
      if (token !== undefined) {
        call.sendings = [...call.sendings, sending]
        show()
      }
      return (status?: unknown, name?: unknown, code?: unknown) => {
        const end = { ...(typeof status === 'number' ? { status } : { error: word(code) ?? word(name) ?? 'error' }) }
        if (token === undefined) Object.assign(call, end, { took: now() - call.at })
        else
          call.sendings = call.sendings.map((other, n) => (n === which ? Object.freeze({ ...other, ...end }) : other))
        show()
      }
    }
  }

  const hook = (auth as { [HOOK]?: (watcher: typeof watch | undefined) => void })[HOOK]
  if (hook) hook(watch)
  else
    add(
      'note',
      'This manager reports only its events, not its calls: it is a test double, a copy, or from another version of tokenkeep.',
    )
  for (const type of EVENTS) auth.addEventListener(type, heard)
  auth.ready?.catch((error: unknown) => add('ready', `The manager did not start: ${String((error as Error)?.message)}`))

  return {
    get entries() {
      return entries
    },
    subscribe: listeners.add,
    clear: () => publish([]),
    dispose() {
      hook?.(undefined)
      for (const type of EVENTS) auth.removeEventListener(type, heard)
      listeners.clear()
    },
  }
}

/** The value, if it looks like an error's name or code: an app may abort with any value. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,40}$/.test(value) ? value : undefined
}
