// @ts-check
// How an attacker gets hold of the ports and channels that the app uses.

import { OPTIONS } from '../homes.js'

/** @typedef {import('./spy.js').Spy} Spy */

/**
 * The ports that are used during `work`.
 * @param {Spy} spy @param {() => Promise<unknown>} work
 * @returns {Promise<MessagePort[]>}
 */
export async function speaksTo(spy, work) {
  /** @type {Set<MessagePort>} */
  const ports = new Set()
  spy.replace(MessagePort.prototype, 'postMessage', (original) => {
    /** @this {MessagePort} @param {...unknown} args */
    return function postMessage(...args) {
      ports.add(this)
      return Reflect.apply(original, this, args)
    }
  })
  await work()
  spy.leave()
  return [...ports]
}

/**
 * The names of the channels between tabs. A script that knows the package and its options can find them: it makes a
 * manager with the same options while `BroadcastChannel` is replaced.
 */
export async function channelNames() {
  const { createTokenManager } = /** @type {typeof import('/tokenkeep/index.js')} */ (
    await import('/tokenkeep/index.js')
  )
  const Channel = globalThis.BroadcastChannel
  /** @type {Set<string>} */
  const names = new Set()
  globalThis.BroadcastChannel = class extends Channel {
    /** @param {string} name */
    constructor(name) {
      super(name)
      names.add(name)
    }
  }
  try {
    for (const tabs of /** @type {const} */ (['share', 'lock'])) {
      const manager = createTokenManager({ ...OPTIONS, restore: 'manual', tabs })
      await manager.ready
      manager.dispose()
    }
  } finally {
    globalThis.BroadcastChannel = Channel
  }
  return [...names]
}
