// What plain JavaScript does that the types of the platforms forbid.

import type { AddressInfo } from 'node:net'

declare global {
  interface PromiseConstructor {
    /** A promise may be resolved without a value. */
    new (executor: (resolve: (value?: any) => void, reject: (reason?: any) => void) => void): Promise<any>
    withResolvers(): { promise: Promise<any>; resolve: (value?: any) => void; reject: (reason?: any) => void }
  }

  interface JSON {
    /** The argument is turned into text, which a `Buffer` holds in UTF-8. */
    parse(text: NodeJS.ArrayBufferView): any
  }

  interface ParentNode {
    /** A selector finds what the page has there. */
    querySelector(selectors: string): any
    querySelectorAll(selectors: string): NodeListOf<any>
  }

  /** Arguments are passed on as they came. */
  function fetch(...given: any[]): Promise<Response>

  // In workers.
  function importScripts(...urls: string[]): void
  function skipWaiting(): Promise<void>
}

declare module 'node:net' {
  interface Server {
    /** All servers listen on a port. */
    address(): AddressInfo
  }
}
