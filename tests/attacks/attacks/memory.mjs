// Scripts in the page that search the WebAssembly memory, and an attacker who can read the browser's memory.

import { patch, ACCESS } from '../support/rows.mjs'

export default [
  ...patch(
    '`WebAssembly.instantiate`, `Instance`: the exported memory is read',
    () => {
      const take = (made) =>
        Object.values((made.instance ?? made).exports)
          .filter((value) => value instanceof WebAssembly.Memory)
          .forEach((memory) => attacker.keep(memory))
      for (const name of ['instantiate', 'instantiateStreaming']) {
        /** @type {any} */
        const all = WebAssembly
        const { [name]: original } = all
        all[name] = async (...args) => {
          const made = await original.apply(WebAssembly, args)
          take(made)
          return made
        }
      }
      WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
        construct(of, args) {
          const made = Reflect.construct(of, args)
          take(made)
          return made
        },
      })
    },
    { after: [] },
  ),
  ...patch(
    '`WebAssembly.Memory.prototype.buffer`',
    () => attacker.spy(WebAssembly.Memory.prototype, 'buffer', 'grow'),
    { after: [] },
  ),
  ...patch('`Uint8Array`, `DataView`: the views of the memory', () => {
    attacker.spy(globalThis, 'Uint8Array', 'DataView', 'Uint32Array', 'Int32Array', 'Float64Array')
    attacker.spyAll(DataView.prototype)
  }),
  ...patch('`%TypedArray%.prototype.subarray`, `set`, `slice`, `buffer`', () => {
    const TypedArray = Object.getPrototypeOf(Uint8Array.prototype)
    attacker.spy(TypedArray, 'subarray', 'set', 'slice', 'fill', 'copyWithin', 'buffer', 'byteLength', 'length')
    attacker.spyAll(ArrayBuffer.prototype)
  }),
  {
    name: 'The heap of the page is searched after the sign-out (DevTools)',
    seeks: ACCESS,
    inherent: [],
    lacks: { firefox: 'a protocol that takes heap snapshots', webkit: 'a protocol that takes heap snapshots' },
    async mount(scene) {
      const page = await scene.tab()
      await scene.story(page)
      await page.evaluate(() => auth.logout())
      return heap(page)
    },
  },
  {
    name: 'The heap of the page is searched during the session (DevTools)',
    seeks: ACCESS,
    inherent: ['page'],
    lacks: { firefox: 'a protocol that takes heap snapshots', webkit: 'a protocol that takes heap snapshots' },
    async mount(scene) {
      const page = await scene.tab()
      await scene.story(page)
      await page.evaluate(() => auth.fetch('/api/me'))
      return heap(page)
    },
  },
]

/** The page's heap after garbage collection: its strings, and the WebAssembly memory. */
async function heap(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.enable')
  await session.send('HeapProfiler.collectGarbage')
  let text = ''
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (text += chunk))
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  return text
}
