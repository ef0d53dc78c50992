// The page's connection to a service worker that keeps the token. The platform ends a service worker whenever it is
// idle. The manager sees an ordinary port. Behind it is a line to the current life of the worker. When that life ends,
// or another worker takes over, the next call opens a new line. Only pages with this home load this module.

import type { Home, unavailable } from './home.js'
import type { Resumes, ToPage, ToWorker } from './messages.js'
import type { ServiceWorkerSource } from './page.js'

/** The length of a beat in milliseconds. While the worker owes answers, every beat checks on it. */
const BEAT = 1000
/**
 * A new line is opened if the worker does not respond for more than this many beats: a message to a worker that is
 * being ended is lost.
 */
const AGAIN = 3
/** Every so many beats, a worker with calls to answer is pinged, which also keeps the platform from ending it. */
const PING = 10
/** A worker with calls to answer is given up after this many beats without a message. */
const SILENCE = 40
/** The streams of line n are numbered from n times this. */
const STREAMS = 1e9

type Call = Extract<ToWorker, { kind: 'call' | 'fetch' }>

interface Line {
  readonly name: string
  readonly number: number
  readonly worker: ServiceWorker
  readonly port: MessagePort
  /** The id of the worker's life that answered on this line. */
  life?: string
  /** Whether calls may be sent. */
  isReady: boolean
  /** Calls in flight. */
  readonly calls: Map<number, Call>
  /** Response bodies that have not ended. */
  readonly streams: Set<number>
  /** Beats since the last message. */
  silence: number
}

/** A queued message. A call waits until the worker has confirmed that it is alive. */
interface Waiting {
  message: ToWorker
  transfer: Transferable[]
  isClear: boolean
}

/**
 * Rejects with an error that says why there is no service worker. `options` are for a script that has no options of its
 * own. `failed` creates the error if the worker is lost later.
 */
export async function attach(
  source: ServiceWorkerSource,
  options: Record<string, unknown>,
  failed: typeof unavailable,
): Promise<Home> {
  const { serviceWorker } = navigator
  if (!globalThis.isSecureContext) throw new Error('service workers need a secure context')
  if (!serviceWorker) throw new Error('this browser has no service workers, as in a private window of Firefox')

  let expected: string | undefined
  let registration = await register()
  let worker = await active()

  async function register(): Promise<ServiceWorkerRegistration> {
    try {
      if (typeof source === 'function') return await source()
      const url = new URL(source, location.href)
      if (Object.keys(options).length) url.searchParams.set('tokenkeep', JSON.stringify(options))
      expected = url.href
      return await serviceWorker.register(url)
    } catch (cause) {
      throw new Error(`the platform refused it (${String(cause)})`, { cause })
    }
  }

  /** The active worker, if it runs the expected script. */
  function current(): ServiceWorker | undefined {
    const { active } = registration
    return active && (expected === undefined || active.scriptURL === expected) ? active : undefined
  }

  /** Waits for the worker of `current`. */
  function active(): Promise<ServiceWorker> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = current()
        const { installing, waiting } = registration
        if (found) resolve(found)
        else if (!installing && !waiting)
          reject(
            new Error(
              registration.active
                ? `another script, ${registration.active.scriptURL}, controls its scope`
                : 'its script does not run, or its install event failed',
            ),
          )
        for (const next of [installing, waiting]) next?.addEventListener('statechange', look)
      }
      look()
    })
  }

  const heard: { onmessage: ((event: { data: ToPage }) => void) | null } = { onmessage: null }
  const tell = (data: ToPage) => heard.onmessage?.({ data })
  const lines = new Set<Line>()
  let waiting: Waiting[] = []
  let line: Line | undefined
  let count = 0
  let beat: ReturnType<typeof setInterval> | undefined
  // The first message on every line.
  let hello: ToWorker | undefined
  let left = 0
  let isClosed = false
  let wasReady = false

  function open(): void {
    const { port1: port, port2 } = new MessageChannel()
    const opened: Line = {
      name: crypto.randomUUID(),
      number: count++,
      worker,
      port,
      isReady: false,
      calls: new Map(),
      streams: new Set(),
      silence: 0,
    }
    line = opened
    lines.add(opened)
    port.onmessage = ({ data }) => hear(opened, data)
    // Not every platform sends this event.
    port.addEventListener('close', () => lost(opened))
    worker.postMessage({ tokenkeep: opened.name }, [port2])
    const resumes: Resumes | undefined = opened.number ? { left, streams: opened.number * STREAMS } : undefined
    port.postMessage({ ...hello, resumes })
    keepTime()
  }

  function hear(from: Line, data: ToPage | { kind: 'alive'; life: string; call?: number }): void {
    from.silence = 0
    if (data.kind === 'alive') {
      from.life = data.life
      for (const item of waiting)
        if (from === line && 'id' in item.message && item.message.id === data.call) item.isClear = true
      return flush()
    }
    if (data.kind === 'ready') {
      from.isReady = true
      for (const { message } of waiting) knock(message)
      if (wasReady) return
      wasReady = true
    } else if (data.kind === 'response' || data.kind === 'done' || data.kind === 'error') {
      from.calls.delete(data.id)
      if (data.kind === 'response' && data.response.stream !== undefined) from.streams.add(data.response.stream)
      if (
        data.kind === 'error' &&
        data.error.is === 'token' &&
        data.error.cause &&
        'stream' in data.error.cause &&
        data.error.cause.stream !== undefined
      )
        from.streams.add(data.error.cause.stream)
    } else if (data.kind === 'end' || data.kind === 'broken') from.streams.delete(data.stream)
    tell(data)
    rest(from)
  }

  /**
   * Asks before a call whether the worker is alive. The question starts the worker if need be, and keeps it alive until
   * the call is over.
   */
  function knock(message: ToWorker): void {
    if (!line?.isReady || !isCall(message)) return
    if (current() !== worker) return void change()
    worker.postMessage({ tokenkeep: line.name, call: message.id })
  }

  /** Sends messages from the front of the queue, up to the first that must wait. */
  function flush(): void {
    while (line?.isReady && waiting[0]?.isClear) {
      const { message, transfer } = waiting.shift()!
      if (isCall(message)) line.calls.set(message.id, message)
      line.port.postMessage(message, transfer)
    }
  }

  /** Opens a line to the worker that is active now. The old worker still answers its calls. */
  async function change(): Promise<void> {
    const old = line
    line = undefined
    if (old) {
      old.isReady = false
      rest(old)
    }
    try {
      // Don't replace a worker with other options: the two would replace each other in turns, and neither would keep a
      // session.
      if (!registration.active) registration = await register()
      worker = await active()
      if (!line && hello && !isClosed) open()
    } catch (error) {
      const { message, code, retryable } = failed((error as Error).message)
      tell({ kind: 'failed', error: { is: 'token', code, message, retryable } })
    }
  }

  /** This life of the worker is over, and its calls will not be answered. */
  function lost(gone: Line): void {
    if (!lines.delete(gone)) return
    gone.port.postMessage({ kind: 'bye', disposed: false } satisfies ToWorker)
    gone.port.close()
    // Calls that are safe to repeat are sent again. The others fail, because nobody knows how far they came.
    const again = [...gone.calls.values()].filter((call) => call.kind === 'call' && !call.request)
    for (const call of gone.calls.values())
      if (!again.includes(call)) tell({ kind: 'error', id: call.id, error: broken() })
    for (const stream of gone.streams) tell({ kind: 'broken', stream, error: broken() })
    waiting = [...again.map((message) => ({ message, transfer: [], isClear: false })), ...waiting]
    for (const item of waiting) if (isCall(item.message)) item.isClear = false
    if (gone !== line) return
    line = undefined
    // Without calls, the worker may stay ended.
    if (waiting.length || !wasReady) void change()
  }

  /** Closes an old line that owes no answers. */
  function rest(old: Line): void {
    if (old === line || old.calls.size || old.streams.size || !lines.delete(old)) return
    old.port.postMessage({ kind: 'bye', disposed: false } satisfies ToWorker)
    old.port.close()
  }

  function keepTime(): void {
    beat ??= setInterval(() => {
      const busy = [...lines].filter(
        (one) => one.calls.size || one.streams.size || (one === line && waiting.length) || !one.isReady,
      )
      if (!busy.length) {
        clearInterval(beat)
        beat = undefined
      }
      for (const one of busy) {
        const isWorking = one.calls.size || one.streams.size
        if (++one.silence > SILENCE || (!isWorking && one.silence > AGAIN)) lost(one)
        else if (isWorking && !(one.silence % PING)) {
          if (one === line) one.worker.postMessage({ tokenkeep: one.name })
          one.port.postMessage({ kind: 'ping' })
        }
      }
    }, BEAT)
  }

  const hearWorker = ({ data, source }: MessageEvent) => {
    if (data?.tokenkeep === 'unknown') {
      for (const one of lines) if (one.name === data.line) lost(one)
    } else if (data?.tokenkeep === 'here') {
      if (line && source === line.worker && line.life !== undefined && line.life !== data.life) lost(line)
      // An idle page gets a new line, and hears of changes to the session again.
      if (!line || current() !== worker) void change()
    }
  }
  serviceWorker.addEventListener('message', hearWorker)
  serviceWorker.startMessages()

  function post(message: ToWorker, transfer: Transferable[]): void {
    const { kind } = message
    if (kind === 'hello') {
      hello = message
      return open()
    }
    if (kind === 'bye') {
      for (const { port } of lines) port.postMessage(message)
      return
    }
    if (kind === 'facts') return line?.port.postMessage(message)
    // A service worker keeps the marks itself, and does not refresh when a page is shown.
    if (kind === 'marks' || kind === 'shown') return
    if (kind === 'pull' || kind === 'cancel') {
      for (const one of lines) {
        if (one.number !== Math.floor(message.stream / STREAMS)) continue
        one.port.postMessage(message)
        if (kind === 'cancel') one.streams.delete(message.stream)
        rest(one)
      }
      return
    }
    const isOfCall = (item: Waiting) => 'id' in item.message && item.message.id === message.id
    const isWaiting = waiting.some(isOfCall)
    if (kind === 'abort' && isWaiting) waiting = waiting.filter((item) => !isOfCall(item))
    else if (kind === 'abort' || (kind === 'body' && !isWaiting)) {
      for (const one of lines) {
        if (!one.calls.has(message.id)) continue
        one.port.postMessage(message)
        if (kind === 'abort') one.calls.delete(message.id)
        rest(one)
      }
    } else {
      if (kind === 'call' && message.method === 'logout') left = message.id
      waiting.push({ message, transfer, isClear: !isCall(message) })
      keepTime()
      if (line) knock(message)
      else void change()
    }
    flush()
  }

  const port = {
    postMessage: post,
    close() {
      isClosed = true
      clearInterval(beat)
      serviceWorker.removeEventListener('message', hearWorker)
      for (const one of lines) one.port.close()
      lines.clear()
    },
    set onmessage(listener: typeof heard.onmessage) {
      heard.onmessage = listener
    },
  }
  return { port: port as unknown as MessagePort, onLost() {} }
}

function isCall(message: ToWorker): message is Call {
  return message.kind === 'fetch' || message.kind === 'call'
}

function broken(): Extract<ToPage, { kind: 'broken' }>['error'] {
  return {
    is: 'platform',
    class: 'TypeError',
    name: 'TypeError',
    message: 'The browser ended the service worker before the response arrived.',
  }
}
