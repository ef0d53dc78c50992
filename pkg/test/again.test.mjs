// What connections that last go by: when they are taken up again, and when they are over.

import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import { createTestTokenManager } from '../dist/testing.js'
import { load } from './support/bundle.mjs'

const { later, untilSessionEnds } = await load("export * from './adapters/again.js'")

describe('later', () => {
  afterEach(() => mock.timers.reset())

  it('is so many milliseconds later, and not if it is called off', () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const work = mock.fn()
    later(700, work)
    later(700, work)()
    mock.timers.tick(699)
    assert.equal(work.mock.callCount(), 0)
    mock.timers.tick(1)
    assert.equal(work.mock.callCount(), 1)
  })

  it('is never at once for being far ahead', () => {
    for (const ms of [2 ** 31, 2 ** 53, Infinity]) {
      const { mock: timer } = mock.method(globalThis, 'setTimeout', () => 0)
      later(ms, () => {})
      assert.equal(timer.calls[0].arguments[1], 2 ** 31 - 1)
      timer.restore()
    }
  })
})

describe('what lasts', () => {
  const ALICE = { claims: { sub: 'alice' } }
  const jwt = (claims) => ['', btoa(JSON.stringify(claims)), ''].join('.')

  /** Whether it goes on after what `change` does. `session`: whose it is; `null`: nobody's. */
  async function goesOn(session, change, subject) {
    const auth = createTestTokenManager({ session, subject })
    const end = mock.fn()
    const callOff = untilSessionEnds(auth, subject, end)
    await change(auth)
    await null
    callOff()
    const ends = end.mock.callCount()
    auth.test.signOut()
    assert.equal(end.mock.callCount(), ends)
    return !ends
  }

  it('ends with the session, whoever ends it, and however', async () => {
    for (const reason of ['logout', 'rejected', 'ended', 'other-tab']) assert.ok(!await goesOn(ALICE, ({ test }) => test.signOut(reason)), reason)
    // Of this there is no event `signout`: whether there is a session has been unknown.
    assert.ok(!await goesOn(ALICE, ({ test }) => (test.unknown(), test.signOut())))
  })

  it('goes on with each new token of the session', async () => {
    for (const session of [ALICE, {}, { claims: { scope: 'a' } }]) {
      assert.ok(await goesOn(session, (auth) => auth.refresh()))
      assert.ok(await goesOn(session, async (auth) => (auth.test.expire(), await auth.known(), auth.refresh())))
    }
  })

  it('ends with another user\'s login, and not with the same one\'s', async () => {
    const signsIn = (claims) => ({ test }) => test.signIn({ claims })
    assert.ok(!await goesOn(ALICE, signsIn({ sub: 'bob' })))
    assert.ok(await goesOn(ALICE, signsIn({ sub: 'alice', scope: 'more' })))
    assert.ok(!await goesOn({ claims: { user_id: 1 } }, signsIn({ user_id: 2 })))
    assert.ok(await goesOn({ claims: { user_id: 1 } }, signsIn({ user_id: 1 })))
    assert.ok(!await goesOn({ claims: { uid: 1 } }, signsIn({ uid: 2 }), 'uid'))
    assert.ok(await goesOn({ claims: { uid: 1 } }, signsIn({ uid: 1 }), 'uid'))
    assert.ok(!await goesOn(ALICE, ({ test }) => (test.unknown(), test.signIn({ claims: { sub: 'bob' } }))))
    assert.ok(await goesOn(ALICE, ({ test }) => (test.unknown(), test.signIn(ALICE))))
  })

  it('ends with another user\'s token, though a refresh brought it', async () => {
    const found = (claims) => (auth) => (auth.test.answer('refresh', { session: { claims } }), auth.refresh())
    assert.ok(!await goesOn(ALICE, found({ sub: 'bob' })))
    assert.ok(!await goesOn({ claims: { uid: 1 } }, found({ uid: 2 }), 'uid'))
  })

  it('ends with any login where a token names no user', async () => {
    assert.ok(!await goesOn({}, ({ test }) => test.signIn()))
    assert.ok(!await goesOn({}, (auth) => auth.setTokens({ accessToken: jwt({ sub: 'bob' }) })))
    assert.ok(!await goesOn(ALICE, ({ test }) => test.signIn({})))
    assert.ok(!await goesOn({ claims: { uid: 1 } }, ({ test }) => test.signIn({ claims: { uid: 1 } })))
    assert.ok(!await goesOn({}, (auth) => auth.signedIn()))
  })

  it('is of whoever signs in first', async () => {
    for (const session of [undefined, null]) {
      assert.ok(await goesOn(session, ({ test }) => test.signIn(ALICE)))
      assert.ok(await goesOn(session, ({ test }) => test.signIn({})))
      assert.ok(!await goesOn(session, ({ test }) => (test.signIn(ALICE), test.signIn({ claims: { sub: 'bob' } }))))
    }
    assert.ok(await goesOn(undefined, ({ test }) => test.signOut()))
  })
})
