// What build.mjs puts in: the generated glue of the core, and its bytes.

declare module '#core' {
  /** Makes an instance. `trapped` makes the error to throw where the WebAssembly traps; after that it is never entered again. */
  export function instantiate(module: WebAssembly.Module, trapped: (cause: unknown) => Error): Promise<import('./core-interface.js').CoreClass>;
}

declare module '#wasm' {
  /** gzip, base64. */
  const packed: string;
  export default packed;
}

declare module '#fetch' {
  /** Sends by the page's `fetch`. Never throws; rejects with what that throws or rejects with. `ours`: the members may be marked. */
  export function transmit(url: string, args: unknown[], ours?: boolean): Promise<unknown>;
  /** Marks a manager's own `fetch`. */
  export function own(fetch: (...args: never[]) => unknown): void;
  /** Whether a call is one that a manager has sent, and a wrapper of the page's has brought back. */
  export function isBack(url: string, input: unknown, init: unknown): boolean;
  /** Another request of the same content; `undefined` where its body is a stream. Locks that, as `fetch` would. */
  export function duplicate(request: Request): Request | undefined;
  /** One came back that has lost its marks. */
  export function cameBack(): void;
}

declare module '#page' {
  /** What relative URLs are resolved against: `<base>`, but none that leads to another origin. */
  export function base(): string | undefined;
  /** A member of the document, read past elements of its name. */
  export function read(type: 'Node', name: 'baseURI'): string;
  /** The value of a cookie that scripts may read; `undefined` where there is none, `null` where none can be read. */
  export function cookie(name: string): string | undefined | null;
  /** Whether a service worker answers the calls of this page. */
  export function isControlled(): boolean;
  /** Whether the platform says that there is no network. */
  export function isOffline(): boolean;
  /** Whether the user may have signed in on the way to this page. */
  export function mayBeSignIn(): boolean;
  /** The origin of the page. */
  export function origin(): string | undefined;
  /** A URL as the platform parses and serialises it. */
  export function resolve(url: string, base?: string): string | undefined;
}

declare module '#storage' {
  /** The text of a mark in the storage. */
  export function marked(key: string): string | undefined;
  /** Sets a mark, or takes it away. */
  export function mark(key: string, mark?: string): void;
}

declare module '#timer' {
  /** Listens. `woke` is told whether the page can be seen. */
  export function renewalTimer(woke: (isVisible: boolean) => void): { set(ms: number): void; stop(): void };
}
