// What build.mjs puts in: the generated glue of the core, and its bytes.

declare module '#core' {
  /** Makes an instance. `trapped` makes the error to throw where the WebAssembly traps; after that it is never entered again. */
  export function instantiate(module: WebAssembly.Module, trapped: (cause: unknown) => Error): Promise<import('./seam.js').CoreClass>;
}

declare module '#wasm' {
  /** gzip, base64. */
  const packed: string;
  export default packed;
}
