// The globals of the pages, for the code that a test passes to `page.evaluate`.

import type { TokenManager } from '../../pkg/dist/index.js'

/** Tests also call it in ways that an app must not. */
interface Manager extends TokenManager<any> {
  fetch(...given: any[]): Promise<Response>
  login(...given: any[]): Promise<any>
  refresh(): Promise<any>
  addEventListener(type: string, listener: (event: any) => void, options?: any): void
}

declare global {
  // tests/e2e/pages/page.js
  var auth: Manager
  /** A list; in tests/frameworks a function that returns one. */
  var events: any
  function start(options?: object): Promise<any>
  function make(options?: object): Manager
  function watch(manager: TokenManager<any>): Promise<any>
  function outcome(promise: Promise<unknown>): Promise<any>
  function call(path: any, init?: any): Promise<any>
  function calls(count: number, from?: number): Promise<any[]>
  function credentials(username: string, password?: string): { body: URLSearchParams }
  function signIn(...given: any[]): Promise<any>
  function until(test: (state: any) => unknown, manager?: TokenManager<any>): Promise<void>
  function heard(event: string): Promise<void>
  function told(): string[]
  function digest(text: string): Promise<string>

  // tests/e2e/pages/clock.js, faithful.js, home.js and time.js
  var clock: { fastForward(ms: number): void }
  var time: any
  function inHome(deed: string, argument?: unknown): Promise<any>
  function names(): string[]
  function compare(name: string): Promise<any>
  function ends(...given: any[]): Promise<any>
  function reads(): Promise<any>
  function shape(): Promise<any>
  function turns(promise: Promise<unknown>): Promise<number | null>

  // pkg/test/page/compare.mjs
  function located(input: string): string | undefined

  // tests/attacks/support/attacker.js
  var attacker: any

  // tests/backends/pages/page.js
  function begin(): Promise<any>
  function callsTo(path: string, count: number): Promise<any[]>

  // What single tests, and the code of a documentation page, keep in the page.
  var aborted: any
  var accounts: any
  var actAs: any
  var again: any
  var all: any
  var ask: any
  var asked: any
  var backend: any
  var both: any
  var changed: any
  var channel: any
  var channels: any
  var come: any
  var controller: any
  var crossed: any
  var dialog: any
  var does: any
  var done: any
  var drawn: any
  var errors: any
  var fetch_: any
  var finish: any
  var first: any
  var forge: any
  var has: any
  var hide: any
  var idle: any
  var inspector: any
  var known: any
  var late: any
  var later: any
  var left: any
  var letGo: any
  var login: any
  var lost: any
  var made: any
  var marker: any
  var mine: any
  var named: any
  var nameless: any
  var news: any
  var next: any
  var old: any
  var one: any
  var opened: any
  var other: any
  var others: any
  var out: any
  var own: any
  var panel: any
  var pending: any
  var port: any
  var raw: any
  var ready: any
  var refreshes: any
  var release: any
  var renewed: any
  var save: any
  var seal: any
  var sealed: any
  var sealing: any
  var second: any
  var seen: any
  var send: any
  var sent: any
  var shown: any
  var shows: any
  var signal: any
  var signOut: any
  var stopActing: any
  var switched: any
  var tapped: any
  var third: any
  var through: any
  var twenty: any
  var twice: any
  var twin: any
  var under: any
  var upload: any
  var uploading: any
  var waiting: any
  var warned: any
  var workers: any
  var x: any
  var Zone: any
}
