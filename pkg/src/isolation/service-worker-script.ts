// The classic script `tokenkeep/service-worker/script`, for service workers that are not modules. An app's service
// worker file imports it and calls `tokenkeep.serve(options)`. If the script itself is registered, the page writes the
// options into its URL.

import { isTokenError, TokenError } from '../error.js'
import { inline } from '../inline.js'
import { createManager } from '../manager.js'
import { listen, type Service } from './service.js'
import type { ServiceOptions } from './service-worker.js'
import type { WorkerOptions } from './worker.js'

let service: Service | undefined

function serve(options: WorkerOptions, { takeOver = false }: ServiceOptions = {}): void {
  service = { own: options, takeOver }
}

listen(
  (options) => createManager(inline, options),
  () => (service ??= stated()),
)
Object.defineProperty(globalThis, 'tokenkeep', { value: Object.freeze({ serve, isTokenError, TokenError }) })

/** Used if the app's file does not call `serve`. */
function stated(): Service | undefined {
  const text = new URL(location.href).searchParams.get('tokenkeep')
  try {
    const options: unknown = text === null ? undefined : JSON.parse(text)
    return typeof options === 'object' && options !== null
      ? { stated: options as Record<string, unknown>, takeOver: true }
      : undefined
  } catch {
    return
  }
}
