// The page's end where the token lives in a service worker, which the platform ends whenever it has nothing to do. To the manager it is a
// port as any other. Behind it is a line to this life of the worker; when that is over, or another worker has taken its place, the next call
// opens another one. Loaded by those pages alone that have this home.

import type { Home, unavailable } from './home.js';
import type { Resumes, ToPage, ToWorker } from './messages.js';
import type { ServiceWorkerSource } from './page.js';

/** How often a worker that has something to answer is looked after, in milliseconds. */
const BEAT = 1000;
/** At so many beats a worker that was asked whether it is there is asked on a new line: a message to one that is being ended is lost. */
const AGAIN = 3;
/** Every so many beats a worker that has calls to answer is asked whether it is there, which also keeps the platform from ending it. */
const PING = 10;
/** So many beats it may say nothing. */
const SILENCE = 40;
/** The streams of one line have numbers from here on, those of the next from twice that. */
const STREAMS = 1e9;

type Call = Extract<ToWorker, { kind: 'call' | 'fetch' }>;

interface Line {
  readonly name: string;
  readonly number: number;
  readonly worker: ServiceWorker;
  readonly port: MessagePort;
  /** Which life of the worker has answered. */
  life?: string;
  /** Whether calls may be sent. */
  isReady: boolean;
  /** Calls that have been sent and are not answered, and streams that have not come to their end. */
  readonly calls: Map<number, Call>;
  readonly streams: Set<number>;
  /** Beats since something was heard. */
  silence: number;
}

/** A message that waits for its turn. A call waits until the worker has said that it is there. */
interface Waiting {
  message: ToWorker;
  transfer: Transferable[];
  isClear: boolean;
}

/**
 * Rejects with an error that says why there is no service worker. `options` are told to a script that has none of its own; `failed`
 * makes the error of one that is lost later.
 */
export async function attach(source: ServiceWorkerSource, options: Record<string, unknown>, failed: typeof unavailable): Promise<Home> {
  const { serviceWorker } = navigator;
  if (!globalThis.isSecureContext) throw new Error('this page is no secure context, and has no service workers');
  if (!serviceWorker) throw new Error('there are no service workers here, as in a private window of Firefox');

  let expected: string | undefined;
  let registration = await register();
  let worker = await active();

  async function register(): Promise<ServiceWorkerRegistration> {
    try {
      if (typeof source === 'function') return await source();
      const url = new URL(source, location.href);
      if (Object.keys(options).length) url.searchParams.set('tokenkeep', JSON.stringify(options));
      expected = url.href;
      return await serviceWorker.register(url);
    } catch (cause) {
      throw new Error(`the platform refuses it (${String(cause)})`, { cause });
    }
  }

  /** The worker that answers calls: no other script than the one that was asked for. */
  function current(): ServiceWorker | undefined {
    const { active } = registration;
    return active && (expected === undefined || active.scriptURL === expected) ? active : undefined;
  }

  /** The same as soon as there is one. */
  function active(): Promise<ServiceWorker> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = current();
        const { installing, waiting } = registration;
        if (found) resolve(found);
        else if (!installing && !waiting) reject(new Error(registration.active ? `another script, ${registration.active.scriptURL}, has its place` : 'its script does not run, or its install event has failed'));
        for (const next of [installing, waiting]) next?.addEventListener('statechange', look);
      };
      look();
    });
  }

  const heard: { onmessage: ((event: { data: ToPage }) => void) | null } = { onmessage: null };
  const tell = (data: ToPage) => heard.onmessage?.({ data });
  const lines = new Set<Line>();
  let waiting: Waiting[] = [];
  let line: Line | undefined;
  let count = 0;
  let beat: ReturnType<typeof setInterval> | undefined;
  // What a new line begins with.
  let hello: ToWorker | undefined;
  let left = 0;
  let isClosed = false;
  let wasReady = false;

  function open(): void {
    const { port1: port, port2 } = new MessageChannel();
    const opened: Line = { name: crypto.randomUUID(), number: count++, worker, port, isReady: false, calls: new Map(), streams: new Set(), silence: 0 };
    line = opened;
    lines.add(opened);
    port.onmessage = ({ data }) => hear(opened, data);
    // Where the platform tells of it.
    port.addEventListener('close', () => lost(opened));
    worker.postMessage({ tokenkeep: opened.name }, [port2]);
    const resumes: Resumes | undefined = opened.number ? { left, streams: opened.number * STREAMS } : undefined;
    port.postMessage({ ...hello, resumes });
    keepTime();
  }

  function hear(from: Line, data: ToPage | { kind: 'alive'; life: string; call?: number }): void {
    from.silence = 0;
    if (data.kind === 'alive') {
      from.life = data.life;
      for (const item of waiting) if (from === line && 'id' in item.message && item.message.id === data.call) item.isClear = true;
      return flush();
    }
    if (data.kind === 'ready') {
      from.isReady = true;
      for (const { message } of waiting) knock(message);
      if (wasReady) return;
      wasReady = true;
    } else if (data.kind === 'response' || data.kind === 'done' || data.kind === 'error') {
      from.calls.delete(data.id);
      if (data.kind === 'response' && data.response.stream !== undefined) from.streams.add(data.response.stream);
      if (data.kind === 'error' && data.error.is === 'token' && data.error.cause && 'stream' in data.error.cause && data.error.cause.stream !== undefined) from.streams.add(data.error.cause.stream);
    } else if (data.kind === 'end' || data.kind === 'broken') from.streams.delete(data.stream);
    tell(data);
    rest(from);
  }

  /** Asks whether the worker is there, for a call that is to be sent: it is started by that, and lasts until the call is over. */
  function knock(message: ToWorker): void {
    if (!line?.isReady || !('id' in message) || (message.kind !== 'fetch' && message.kind !== 'call')) return;
    if (current() !== worker) return void change();
    worker.postMessage({ tokenkeep: line.name, call: message.id });
  }

  /** Sends what has its turn. */
  function flush(): void {
    while (line?.isReady && waiting[0]?.isClear) {
      const { message, transfer } = waiting.shift()!;
      if (message.kind === 'fetch' || message.kind === 'call') line.calls.set(message.id, message);
      line.port.postMessage(message, transfer);
    }
  }

  /** Opens a line to the worker that is in its place now. What the old one has to answer, it answers. */
  async function change(): Promise<void> {
    const old = line;
    line = undefined;
    if (old) {
      old.isReady = false;
      rest(old);
    }
    try {
      // One of other options is left alone: the two would have the place in turns, and no session with that.
      if (!registration.active) registration = await register();
      worker = await active();
      if (!line && hello && !isClosed) open();
    } catch (error) {
      const { message, code, retryable } = failed((error as Error).message);
      tell({ kind: 'failed', error: { is: 'token', code, message, retryable } });
    }
  }

  /** This life of the worker is over: what it had to answer is not answered. */
  function lost(gone: Line): void {
    if (!lines.delete(gone)) return;
    gone.port.postMessage({ kind: 'bye', disposed: false } satisfies ToWorker);
    gone.port.close();
    // Those that can be done twice are sent again; of the others nobody knows how far they came.
    const again = [...gone.calls.values()].filter((call) => call.kind === 'call' && !call.request);
    for (const call of gone.calls.values()) if (!again.includes(call)) tell({ kind: 'error', id: call.id, error: broken() });
    for (const stream of gone.streams) tell({ kind: 'broken', stream, error: broken() });
    waiting = [...again.map((message) => ({ message, transfer: [], isClear: false })), ...waiting];
    for (const item of waiting) if (isCall(item.message)) item.isClear = false;
    if (gone !== line) return;
    line = undefined;
    // An idle worker may sleep.
    if (waiting.length || !wasReady) void change();
  }

  /** An old line without anything to answer is closed. */
  function rest(old: Line): void {
    if (old === line || old.calls.size || old.streams.size || !lines.delete(old)) return;
    old.port.postMessage({ kind: 'bye', disposed: false } satisfies ToWorker);
    old.port.close();
  }

  function keepTime(): void {
    beat ??= setInterval(() => {
      const busy = [...lines].filter((one) => one.calls.size || one.streams.size || (one === line && waiting.length) || !one.isReady);
      if (!busy.length) {
        clearInterval(beat);
        beat = undefined;
      }
      for (const one of busy) {
        const isWorking = one.calls.size || one.streams.size;
        if (++one.silence > SILENCE || (!isWorking && one.silence > AGAIN)) lost(one);
        else if (isWorking && !(one.silence % PING)) {
          if (one === line) one.worker.postMessage({ tokenkeep: one.name });
          one.port.postMessage({ kind: 'ping' });
        }
      }
    }, BEAT);
  }

  const hearWorker = ({ data, source }: MessageEvent) => {
    if (data?.tokenkeep === 'unknown') {
      for (const one of lines) if (one.name === data.line) lost(one);
    } else if (data?.tokenkeep === 'here') {
      if (line && source === line.worker && line.life !== undefined && line.life !== data.life) lost(line);
      // Who was idle hears again what becomes of the session.
      if (!line || current() !== worker) void change();
    }
  };
  serviceWorker.addEventListener('message', hearWorker);
  serviceWorker.startMessages();

  function post(message: ToWorker, transfer: Transferable[]): void {
    const { kind } = message;
    if (kind === 'hello') {
      hello = message;
      return open();
    }
    if (kind === 'bye') {
      for (const { port } of lines) port.postMessage(message);
      return;
    }
    if (kind === 'facts') return line?.port.postMessage(message);
    // It keeps the marks itself; and whoever was idle is shown nothing.
    if (kind === 'marks' || kind === 'shown') return;
    if (kind === 'pull' || kind === 'cancel') {
      for (const one of lines) {
        if (one.number !== Math.floor(message.stream / STREAMS)) continue;
        one.port.postMessage(message);
        if (kind === 'cancel') one.streams.delete(message.stream);
        rest(one);
      }
      return;
    }
    const isWaiting = waiting.some((item) => 'id' in item.message && item.message.id === message.id);
    if (kind === 'abort' && isWaiting) waiting = waiting.filter((item) => !('id' in item.message && item.message.id === message.id));
    else if (kind === 'abort' || (kind === 'body' && !isWaiting)) {
      for (const one of lines) {
        if (!one.calls.has(message.id)) continue;
        one.port.postMessage(message);
        if (kind === 'abort') one.calls.delete(message.id);
        rest(one);
      }
    } else {
      if (kind === 'call' && message.method === 'logout') left = message.id;
      waiting.push({ message, transfer, isClear: !isCall(message) });
      keepTime();
      if (line) knock(message);
      else void change();
    }
    flush();
  }

  const port = {
    postMessage: post,
    close() {
      isClosed = true;
      clearInterval(beat);
      serviceWorker.removeEventListener('message', hearWorker);
      for (const one of lines) one.port.close();
      lines.clear();
    },
    set onmessage(listener: typeof heard.onmessage) {
      heard.onmessage = listener;
    },
  };
  return { port: port as unknown as MessagePort, onLost() {} };
}

function isCall(message: ToWorker): boolean {
  return message.kind === 'fetch' || message.kind === 'call';
}

function broken(): Extract<ToPage, { kind: 'broken' }>['error'] {
  return { is: 'platform', class: 'TypeError', name: 'TypeError', message: 'The service worker was ended before the answer had come.' };
}
