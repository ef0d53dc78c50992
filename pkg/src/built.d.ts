// Types of the modules that build.mjs adds: the core's generated glue and its bytes.

declare module '#core' {
  /** Makes an instance. If the WebAssembly traps, `trapped` makes the error to throw, and the instance is never entered again. */
  export function instantiate(
    module: WebAssembly.Module,
    trapped: (cause: unknown) => Error,
  ): Promise<import('./core-interface.js').CoreClass>
}

declare module '#wasm' {
  /** The WebAssembly, as gzip in base64. */
  const packed: string
  export default packed
}

declare module '#fetch' {
  /**
   * Sends with the page's `fetch`. Never throws; rejects with what that throws or rejects with. `ours`: the arguments are our own copy and
   * may be marked.
   */
  export function transmit(url: string, args: unknown[], ours?: boolean): Promise<unknown>
  /** Marks a manager's own `fetch`. */
  export function markOwn(fetch: (...args: never[]) => unknown): void
  /** Whether a manager sent this call and a wrapper in the page passed it back to a manager. */
  export function isBack(url: string, input: unknown, init: unknown): boolean
  /** A copy of a request; `undefined` if its body is a stream, which is then locked, as `fetch` would do. */
  export function duplicate(request: Request): Request | undefined
  /** Reports that a call came back without its marks. */
  export function cameBack(): void
}

declare module '#page' {
  /** The base of relative URLs: `<base>`, unless it is of another origin. */
  export function base(): string | undefined
  /** A member of the document, read from the prototype, because an element of that name could shadow it. */
  export function ofDocument(type: 'Node', name: 'baseURI'): string
  /** The value of a cookie that scripts may read; `undefined` if there is no such cookie, `null` if cookies cannot be read. */
  export function cookie(name: string): string | undefined | null
  /** The value of a cookie, URL-decoded if it is URL-encoded. */
  export function decoded(text: string): string
  /** Whether a service worker controls this page. */
  export function isControlled(): boolean
  /** Whether the platform reports that it is offline. */
  export function isOffline(): boolean
  /** Whether the user may have signed in on the navigation to this page. */
  export function mayBeSignIn(): boolean
  /** The origin of the page. */
  export function origin(): string | undefined
  /** A URL, parsed and serialised by the platform. */
  export function resolve(url: string, base?: string): string | undefined
}

declare module '#storage' {
  /** Reads a mark from the storage. */
  export function marked(key: string): string | undefined
  /** Sets or removes a mark in the storage. */
  export function mark(key: string, mark?: string): void
}

declare module '#timer' {
  /** A timer for renewals. `woke` is called with whether the page is visible. */
  export function renewalTimer(woke: (isVisible: boolean) => void): { set(ms: number): void; stop(): void }
}
