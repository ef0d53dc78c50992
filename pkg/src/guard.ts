// A trap leaves the WebAssembly's memory as it is at that moment: half changed. So nothing may enter it again, and whoever
// waits for it must be told.

type Exports = Record<string, unknown>;

/**
 * The exports of an instance, watched: where one of them throws, `trapped` is told the cause and makes the error to throw
 * instead. From then on calls do nothing. (Errors that Rust returns are thrown by the glue, outside of this.)
 */
export function guard(exports: Exports, trapped: (cause: unknown) => Error): Exports {
  let error: Error | undefined;
  const guarded: Exports = {};
  for (const [name, value] of Object.entries(exports)) {
    guarded[name] =
      typeof value !== 'function'
        ? value
        : // No export takes more; a list of them would be made at each call.
          (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown): unknown => {
            // Timers and promises of the dead instance; the glue looks for errors in what comes back.
            if (error) return [];
            try {
              return value(a, b, c, d, e) as unknown;
            } catch (cause) {
              throw (error ??= trapped(cause));
            }
          };
  }
  return guarded;
}
