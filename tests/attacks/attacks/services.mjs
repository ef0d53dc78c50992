// Scripts in the page that patch other services of the platform: timers, locks, channels, workers, cryptography,
// events, the console.

import { patch, REFRESH } from '../support/rows.mjs'

export default [
  ...patch('`BroadcastChannel`', () => {
    attacker.spy(globalThis, 'BroadcastChannel')
    attacker.spyAll(BroadcastChannel.prototype)
    attacker.spy(MessageEvent.prototype, 'data')
  }),
  ...patch(
    '`postMessage`, `MessagePort`, `MessageEvent.prototype.data`',
    () => {
      attacker.spy(globalThis, 'postMessage', 'MessageChannel')
      attacker.spyAll(MessagePort.prototype)
      attacker.spy(MessageEvent.prototype, 'data', 'ports')
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`Worker` and `SharedWorker`',
    () => {
      attacker.spy(globalThis, 'Worker', 'SharedWorker')
      for (const of of [globalThis.Worker, globalThis.SharedWorker]) if (of) attacker.spyAll(of.prototype)
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`setTimeout`, `queueMicrotask`',
    () => attacker.spy(globalThis, 'setTimeout', 'setInterval', 'queueMicrotask', 'requestIdleCallback'),
    { before: [], after: [] },
  ),
  ...patch('`navigator.locks`', () => attacker.spyAll(LockManager.prototype), { before: [], after: [] }),
  ...patch(
    '`EventTarget` and `Event`',
    () => {
      attacker.spyAll(EventTarget.prototype)
      attacker.spy(globalThis, 'Event', 'CustomEvent', 'EventTarget')
    },
    { before: [], after: [] },
  ),
  ...patch('`console`', () => attacker.spyAll(console), { before: [], after: [] }),
  ...patch(
    '`Storage`, `document.cookie`, `indexedDB`',
    () => {
      attacker.spyAll(Storage.prototype)
      attacker.spy(Document.prototype, 'cookie')
      attacker.spyAll(IDBObjectStore.prototype)
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`crypto.subtle`, with the refresh token in memory, which is sealed for another tab',
    () => {
      attacker.spyAll(SubtleCrypto.prototype)
      attacker.spy(Crypto.prototype, 'subtle')
    },
    {
      seeks: REFRESH,
      server: { isInMemory: true },
      options: { refreshToken: { json: 'refresh_token' } },
      async act(scene, page) {
        const options = { refreshToken: { json: 'refresh_token' } }
        await scene.signIn(page)
        const other = await scene.tab({ options })
        await other.evaluate(() => auth.fetch('/api/me'))
        await page.evaluate(() => auth.refresh())
        // If tabs pass on no tokens, the other tab has none.
        await other.evaluate(() => auth.refresh().catch(() => {}))
      },
    },
  ),
]
