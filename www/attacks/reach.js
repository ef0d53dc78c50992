// @ts-check
// How the attacker comes to the lines on which the app speaks.

import { OPTIONS } from '../homes.js';

/** @typedef {import('./spy.js').Spy} Spy */

/** The ports that are spoken on while `work` is done. @param {Spy} spy @param {() => Promise<unknown>} work @returns {Promise<MessagePort[]>} */
export async function speaksTo(spy, work) {
  /** @type {Set<MessagePort>} */
  const ports = new Set();
  spy.replace(MessagePort.prototype, 'postMessage', (original) => {
    /** @this {MessagePort} @param {...unknown} args */
    return function postMessage(...args) {
      ports.add(this);
      return Reflect.apply(original, this, args);
    };
  });
  await work();
  spy.leave();
  return [...ports];
}

/**
 * The names of the channels between tabs: whoever knows the package and the options can find them out, by a manager of the same options that
 * has another `BroadcastChannel`.
 */
export async function channelNames() {
  const { createTokenManager } = /** @type {typeof import('/tokenkeep/index.js')} */ (await import('/tokenkeep/index.js'));
  const Channel = globalThis.BroadcastChannel;
  /** @type {Set<string>} */
  const names = new Set();
  globalThis.BroadcastChannel = class extends Channel {
    /** @param {string} name */
    constructor(name) {
      super(name);
      names.add(name);
    }
  };
  try {
    for (const tabs of /** @type {const} */ (['share', 'lock'])) {
      const manager = createTokenManager({ ...OPTIONS, restore: 'manual', tabs });
      await manager.ready;
      manager.dispose();
    }
  } finally {
    globalThis.BroadcastChannel = Channel;
  }
  return [...names];
}
