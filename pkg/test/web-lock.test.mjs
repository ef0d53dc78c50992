// A lock that is stolen while its page is busy or frozen. Real browsers cannot be made to order these events, so the platform is simulated:
// its answers arrive one by one, as tasks of the page.

import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { acquire } from '../../src/browser/web-lock.js'

/** The requests to the platform's lock manager. */
const requests = []
const { navigator } = globalThis

function locks() {
  return {
    request: (name, options, granted) =>
      new Promise((resolve, reject) =>
        requests.push({
          name,
          options,
          grant: (lock = { name }) => void Promise.resolve(granted(lock)).then(resolve),
          steal: () => reject(new DOMException('stolen', 'AbortError')),
        }),
      ),
    query: async () => ({ held: [] }),
  }
}

/** All tasks that are due, and their microtasks. */
const task = () => new Promise((resolve) => setImmediate(resolve))

Object.defineProperty(globalThis, 'navigator', { value: { locks: locks() }, configurable: true })
after(() => Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true }))

for (const [name, isStolen] of Object.entries({
  'is not used if it was stolen before its lease was taken': true,
  'is used when its lease is taken': false,
}))
  it(`a lock that was granted ${name}`, async () => {
    requests.length = 0
    /** Whether a call may be sent, when the lock is acquired. */
    let mayBeSent
    const acquired = acquire('lock', 20, 10_000, 200, () => 0).then((held) => {
      mayBeSent = !!held?.allows(9_000)
      return held
    })
    await task()
    const [lock] = requests
    lock.grant()
    await task()
    assert.equal(mayBeSent, undefined, 'before the platform has confirmed the lease')
    const [, lease] = requests
    assert.match(lease.name, /^lock until \d+$/)
    if (isStolen) lock.steal()
    await task()
    lease.grant()
    const held = await acquired
    assert.equal(mayBeSent, !isStolen)
    held?.release()
  })

it('an answer to the question for the locks after the end of the wait asks nobody how long the lock may be held', async () => {
  requests.length = 0
  let answer
  const asked = new Promise((resolve) => (answer = resolve))
  const platform = { ...locks(), query: () => asked }
  Object.defineProperty(globalThis, 'navigator', { value: { locks: platform }, configurable: true })
  let questions = 0
  const acquired = acquire('lock', 20, 10_000, 200, () => ++questions)
  await task()
  // Somebody else has it.
  const [first] = requests
  first.grant(null)
  assert.equal(await acquired, undefined)
  answer({ held: [] })
  await task()
  assert.equal(questions, 0)
})
