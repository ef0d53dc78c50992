// The app's requests: their URL, whether they get the token, and what answers them.

import { covers } from '../covers.js'
import type { AttachOptions } from '../types.js'
import type { TestCall, TestTarget } from '../testing.js'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type Recorded = Mutable<TestCall>
export type Arguments = [RequestInfo | URL, (RequestInit | undefined)?]

/** The base URL without a page, as in Node. */
const NOWHERE = 'http://localhost/'

function base(): string {
  const here = globalThis.document?.baseURI ?? globalThis.location?.href
  return here && /^https?:/.test(here) ? here : NOWHERE
}

/** Whether the input has a URL and headers, like a `Request` of any realm. */
export function isRequest(input: unknown): input is Request {
  return typeof input === 'object' && input !== null && 'url' in input && 'headers' in input
}

/** The absolute URL; `undefined` if the input is not a URL, which `fetch` will report. */
export function absolute(input: unknown): string | undefined {
  try {
    return new URL(isRequest(input) ? input.url : `${input as string}`, base()).href.split('#')[0]
  } catch {
    return
  }
}

/** The record of a call that sends a request. */
export function request(name: TestCall['name'], args: readonly unknown[], usual: string): Recorded {
  const [input, init] = args as [unknown, RequestInit | undefined]
  const url = args.length ? absolute(input) : undefined
  const method = init?.method ?? (isRequest(input) ? input.method : usual)
  return {
    name,
    args,
    ...(url !== undefined && { url }),
    method: method.toUpperCase(),
    ...(init?.body != null && { body: init.body }),
  }
}

export function signalOf({ args: [input, init] }: TestCall): AbortSignal | undefined {
  return (init as RequestInit | undefined)?.signal ?? (isRequest(input) ? input.signal : undefined)
}

function headersOf({ args: [input, init] }: TestCall): Record<string, string> {
  const given = (init as RequestInit | undefined)?.headers ?? (isRequest(input) ? input.headers : undefined) ?? {}
  return Symbol.iterator in given
    ? Object.fromEntries(given as Iterable<[string, string]>)
    : { ...(given as Record<string, string>) }
}

/** Whether a request gets the token: it goes to one of the APIs and has no `Authorization` of its own. */
export function isCovered(call: TestCall, apis: readonly string[] | undefined): boolean {
  const { mode } = { ...(call.args[1] as RequestInit | undefined) }
  if (
    call.url === undefined ||
    mode === 'no-cors' ||
    Object.keys(headersOf(call)).some((name) => name.toLowerCase() === 'authorization')
  )
    return false
  const place = new URL(call.url)
  return covers(
    (apis ?? ['/']).map((api) => new URL(api, base())),
    place,
  )
}

/** The arguments of `fetch` with the token in a header; without a token, the caller's own arguments. */
export function withToken(call: Recorded, token: string | undefined, attach: AttachOptions | undefined): Arguments {
  const [input, init] = call.args as Arguments
  const { header = 'Authorization', scheme = 'Bearer' } = { ...attach } as { header?: string; scheme?: string }
  if (token === undefined) return isRequest(input) || call.url === undefined ? [input, init] : [call.url, init]
  const value = (call.authorization = scheme ? `${scheme} ${token}` : token)
  if (!isRequest(input)) return [call.url!, { ...init, headers: { ...headersOf(call), [header]: value } }]
  const sent = new Request(input, init)
  sent.headers.set(header, value)
  return [sent]
}

export function fits(target: TestTarget, call: TestCall): boolean {
  if (typeof target === 'function') return target(call)
  if (target instanceof RegExp) return call.url !== undefined && new RegExp(target).test(call.url)
  const [, method, url] = /^(?:([A-Z]+) )?(.*)$/s.exec(`${target as string}`)!
  return (!method || method === call.method) && absolute(url)?.split('?')[0] === call.url?.split('?')[0]
}
