// Brings the core out of the script itself: base64, gzip. Nothing of the platform is touched before it is called.

import packed from '#wasm';

let module: Promise<WebAssembly.Module> | undefined;

/** The compiled core; compiled once for all managers of the realm. */
export function inline(): Promise<WebAssembly.Module> {
  return (module ??= unpack());
}

// Not by way of a Blob: the bytes would go to another process and back.
async function unpack(): Promise<WebAssembly.Module> {
  const stream = new Response(decode()).body!.pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

function decode(): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64(packed);
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
