// Loads the core from a file or another source that the app gives.

import { transmit } from '#fetch'
import { ownBase } from './base.js'
import { TokenError } from './error.js'

type Module = WebAssembly.Module

/** The WebAssembly: its URL, a `Response` with it, its bytes, or the compiled module. */
export type WasmSource = string | URL | Response | BufferSource | Module

/** Time-out for loading the file, in milliseconds. */
const TIMEOUT = 30_000

const modules = new Map<string, Promise<Module>>()

/** Returns the compiled core. Each URL is loaded and compiled once for all managers of the realm, and again only if that failed. */
export function remote(source: WasmSource | Promise<WasmSource>): () => Promise<Module> {
  // Resolve the URL now: the page's URL may change.
  let own: Promise<Module> | undefined
  const base = ownBase()
  return async () => {
    const from = await source
    if (typeof from !== 'string' && !(from instanceof URL)) return (own ??= compile(from))
    const url = new URL(from, base).href
    let module = modules.get(url)
    if (!module) {
      modules.set(url, (module = download(url)))
      module.catch(() => modules.delete(url))
    }
    return module
  }
}

async function download(url: string): Promise<Module> {
  let response: Response
  try {
    response = (await transmit(
      url,
      [url, { signal: AbortSignal.timeout?.(TIMEOUT), credentials: 'same-origin' }],
      true,
    )) as Response
  } catch (cause) {
    throw new TokenError('not-loaded', `The WebAssembly could not be loaded from ${url}.`, { retryable: true, cause })
  }
  return compile(response)
}

async function compile(source: Response | BufferSource | Module): Promise<Module> {
  if (source instanceof WebAssembly.Module) return source
  if (!(source instanceof Response)) return WebAssembly.compile(source)
  const { ok, status, url, headers } = source
  if (!ok)
    throw new TokenError('not-loaded', `The WebAssembly could not be loaded from ${url}: status ${status}.`, {
      retryable: true,
      status,
    })
  const streams = headers.get('content-type') === 'application/wasm' && 'compileStreaming' in WebAssembly
  return streams ? WebAssembly.compileStreaming(source) : WebAssembly.compile(await source.arrayBuffer())
}
