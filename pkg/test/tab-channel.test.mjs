// The channel between tabs: what it hands to Rust, and that it calls nothing after its end. Real browsers cannot be made to order these events.

import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { open } from '../../src/browser/tab-channel.js'

/** The last channel that was opened. */
let channel

const { BroadcastChannel, addEventListener, removeEventListener } = globalThis
Object.assign(globalThis, {
  addEventListener: () => {},
  removeEventListener: () => {},
  BroadcastChannel: class {
    onmessage
    constructor() {
      channel = this
    }
    postMessage() {}
    close() {}
  },
})
after(() => Object.assign(globalThis, { BroadcastChannel, addEventListener, removeEventListener }))

/** Delivers a message. */
const deliver = (data) => channel.onmessage?.({ data: { tokenkeep: 2, ...data }, timeStamp: 1 })

/** Keys that seal when they are told to. */
function keys() {
  let seal
  const sealed = new Promise((resolve) => (seal = resolve))
  const mine = { key: Promise.resolve('key'), meet: () => false, seal: () => sealed, open: async () => 'refresh token' }
  return { keys: /** @type {any} */ (mine), seal }
}

it('a message while the last one is being sealed calls nothing of a closed channel', async () => {
  const called = []
  const { keys: mine, seal } = keys()
  const end = open(
    'name',
    () => called.push('takes') > 0,
    () => called.push('heard'),
    mine,
  )
  deliver({ kind: 'here' })
  assert.deepEqual(called, ['takes', 'heard'])
  end?.post('renewed', 1, 1, 1, undefined, 'access token', 'refresh token', 1, 1, undefined)
  end?.close()
  assert.ok(channel.onmessage, 'it still listens')
  deliver({ kind: 'here' })
  deliver({ kind: 'ask' })
  assert.deepEqual(called, ['takes', 'heard'])
  seal('sealed')
  while (channel.onmessage) await new Promise((resolve) => setImmediate(resolve))
})

it('a message has its own members, and a refresh token only if it was sealed', async () => {
  const heard = []
  const { keys: mine } = keys()
  const end = open(
    'name',
    () => true,
    (message) => heard.push(message),
    mine,
  )
  const plain = { kind: 'renewed', stamp: 1, accessToken: 'a', refreshToken: 'plain', life: 5, at: 1, more: 'more' }
  Object.prototype['refreshToken'] = Object.prototype['bound'] = 'evil'
  try {
    deliver(plain)
    const [message] = heard
    assert.deepEqual(
      ['kind', 'stamp', 'accessToken', 'life', 'at', 'refreshToken', 'bound', 'more'].map((name) => message[name]),
      ['renewed', 1, 'a', 5, 1, undefined, undefined, undefined],
    )
  } finally {
    delete Object.prototype['refreshToken']
    delete Object.prototype['bound']
  }
  deliver({ ...plain, sealed: 'sealed', key: 'key' })
  while (heard.length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(heard[1].refreshToken, 'refresh token')
  end?.close()
})
