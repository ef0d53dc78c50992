// Unpacks the core from the script itself, where it is gzip in base64. Importing this module uses nothing of the platform.

import packed from '#wasm'

let module: Promise<WebAssembly.Module> | undefined

/** Returns the compiled core. It is compiled once for all managers of the realm. */
export function inline(): Promise<WebAssembly.Module> {
  return (module ??= unpack())
}

// Avoid a Blob: its bytes would go to another process and back.
async function unpack(): Promise<WebAssembly.Module> {
  const { readable, writable } = new DecompressionStream('gzip')
  const writer = writable.getWriter()
  // If one of these fails, so does reading.
  writer.write(decode()).catch(() => {})
  writer.close().catch(() => {})
  return WebAssembly.compile(await new Response(readable).arrayBuffer())
}

function decode(): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }
  if (fromBase64) return fromBase64(packed)
  const text = atob(packed)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
