// The WebAssembly instance that the managers of a realm share, because engines only have room for some hundred
// instances. An instance that trapped is abandoned together with its managers; the next manager gets a new one.

import { instantiate } from '#core'
import { TokenError } from './error.js'
import type { CoreClass } from './core-interface.js'

type Loss = (error: TokenError) => void

interface Instance {
  readonly core: Promise<CoreClass>
  /** Called after a crash. */
  readonly users: Set<Loss>
}

const instances = /*#__PURE__*/ new WeakMap<WebAssembly.Module, Instance>()

/** Adds a user to the instance of `module`. */
export function join(module: WebAssembly.Module, lost: Loss): Instance {
  let instance = instances.get(module)
  if (!instance) {
    const users = new Set<Loss>()
    const crash = (cause: unknown): TokenError => {
      if (instances.get(module)?.users === users) instances.delete(module)
      const error = new TokenError('crashed', 'The WebAssembly core failed; the call was not sent. Reload the page.', {
        cause,
      })
      for (const lost of users) lost(error)
      return error
    }
    instance = { core: instantiate(module, crash), users }
    instances.set(module, instance)
  }
  instance.users.add(lost)
  return instance
}

/** Removes a user. The last one to leave releases the instance and its memory. */
export function leave(module: WebAssembly.Module, lost: Loss): void {
  const users = instances.get(module)?.users
  if (users?.delete(lost) && !users.size) instances.delete(module)
}
