// The instance of the WebAssembly that the managers of a realm share: an engine has room for some hundred of them only.
// One that trapped is given up, and with it the managers that use it; the next manager gets a new one.

import { instantiate } from '#core';
import { TokenError } from './error.js';
import type { CoreClass } from './core-interface.js';

type Loss = (error: TokenError) => void;

interface Instance {
  readonly core: Promise<CoreClass>;
  /** To be told of a crash. */
  readonly users: Set<Loss>;
}

const instances = /*#__PURE__*/ new WeakMap<WebAssembly.Module, Instance>();

/** The instance of `module`, for one more user. */
export function join(module: WebAssembly.Module, lost: Loss): Instance {
  let instance = instances.get(module);
  if (!instance) {
    const users = new Set<Loss>();
    const crash = (cause: unknown): TokenError => {
      if (instances.get(module)?.users === users) instances.delete(module);
      const error = new TokenError('crashed', 'The WebAssembly core failed; the call was not sent. Reload the page.', { cause });
      for (const lost of users) lost(error);
      return error;
    };
    instance = { core: instantiate(module, crash), users };
    instances.set(module, instance);
  }
  instance.users.add(lost);
  return instance;
}

/** The last to leave lets it go, and its memory with it. */
export function leave(module: WebAssembly.Module, lost: Loss): void {
  const users = instances.get(module)?.users;
  if (users?.delete(lost) && !users.size) instances.delete(module);
}
