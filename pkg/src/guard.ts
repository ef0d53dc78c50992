// A trap leaves the WebAssembly's memory half changed. So the instance must not be entered again, and pending calls must
// be rejected.

type Exports = Record<string, unknown>

/**
 * Wraps the exports of an instance: if one throws, `trapped` gets the cause and makes the error to throw instead. From
 * then on calls do nothing. (Errors that Rust returns are thrown by the glue, outside of these exports.)
 */
export function guard(exports: Exports, trapped: (cause: unknown) => Error): Exports {
  let error: Error | undefined
  const guarded: Exports = {}
  for (const [name, value] of Object.entries(exports)) {
    guarded[name] =
      typeof value !== 'function'
        ? value
        : // No export has more parameters. Rest parameters would allocate an array at each call.
          (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown): unknown => {
            // Called by timers and promises of the dead instance. The glue reads the result as a list.
            if (error) return []
            let result: unknown
            try {
              result = value(a, b, c, d, e)
            } catch (cause) {
              error ??= trapped(cause)
            }
            // A function of the page in between may have caught the error of an inner call.
            if (error) throw error
            return result
          }
  }
  return guarded
}
