// Brings the core out of the script itself: base64, gzip. Nothing of the platform is touched before it is called.

import packed from '#wasm';

let module: Promise<WebAssembly.Module> | undefined;

/** The compiled core; compiled once for all managers of the realm. */
export function inline(): Promise<WebAssembly.Module> {
  return (module ??= unpack());
}

async function unpack(): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
