// The rules for lasting connections: when they reconnect, and when they end.

import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import { createTestTokenManager } from '../dist/testing.js'
import { load } from './support/bundle.mjs'

const { later, untilSessionEnds } = await load("export * from './adapters/again.js'")

describe('later', () => {
  afterEach(() => mock.timers.reset())

  it('fires after the given milliseconds, and not if it is cancelled', () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const work = mock.fn()
    later(700, work)
    later(700, work)()
    mock.timers.tick(699)
    assert.equal(work.mock.callCount(), 0)
    mock.timers.tick(1)
    assert.equal(work.mock.callCount(), 1)
  })

  it('does not fire at once for a very distant time', () => {
    for (const ms of [2 ** 31, 2 ** 53, Infinity]) {
      const { mock: timer } = mock.method(globalThis, 'setTimeout', () => 0)
      later(ms, () => {})
      assert.equal(timer.calls[0].arguments[1], 2 ** 31 - 1)
      timer.restore()
    }
  })
})

describe('a lasting connection', () => {
  const ALICE = { claims: { sub: 'alice' } }
  const jwt = (claims) => ['', btoa(JSON.stringify(claims)), ''].join('.')

  /** Whether the connection survives `change`. `session`: the session it belongs to; `null`: signed out. */
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

  it('ends with the session, for any reason', async () => {
    for (const reason of ['logout', 'rejected', 'ended', 'other-tab'])
      assert.ok(!(await goesOn(ALICE, ({ test }) => test.signOut(reason))), reason)
    // This end has no `signout` event: it was unknown whether there was a session.
    assert.ok(!(await goesOn(ALICE, ({ test }) => (test.unknown(), test.signOut()))))
  })

  it('survives each new token of the session', async () => {
    for (const session of [ALICE, {}, { claims: { scope: 'a' } }]) {
      assert.ok(await goesOn(session, (auth) => auth.refresh()))
      assert.ok(await goesOn(session, async (auth) => (auth.test.expire(), await auth.known(), auth.refresh())))
    }
  })

  it("ends with another user's login, but not with the same user's", async () => {
    const signsIn =
      (claims) =>
      ({ test }) =>
        test.signIn({ claims })
    assert.ok(!(await goesOn(ALICE, signsIn({ sub: 'bob' }))))
    assert.ok(await goesOn(ALICE, signsIn({ sub: 'alice', scope: 'more' })))
    assert.ok(!(await goesOn({ claims: { user_id: 1 } }, signsIn({ user_id: 2 }))))
    assert.ok(await goesOn({ claims: { user_id: 1 } }, signsIn({ user_id: 1 })))
    assert.ok(!(await goesOn({ claims: { uid: 1 } }, signsIn({ uid: 2 }), 'uid')))
    assert.ok(await goesOn({ claims: { uid: 1 } }, signsIn({ uid: 1 }), 'uid'))
    assert.ok(!(await goesOn(ALICE, ({ test }) => (test.unknown(), test.signIn({ claims: { sub: 'bob' } })))))
    assert.ok(await goesOn(ALICE, ({ test }) => (test.unknown(), test.signIn(ALICE))))
  })

  it("ends with another user's token from a refresh", async () => {
    const found = (claims) => (auth) => (auth.test.answer('refresh', { session: { claims } }), auth.refresh())
    assert.ok(!(await goesOn(ALICE, found({ sub: 'bob' }))))
    assert.ok(!(await goesOn({ claims: { uid: 1 } }, found({ uid: 2 }), 'uid')))
  })

  it('ends with any login if tokens name no user', async () => {
    assert.ok(!(await goesOn({}, ({ test }) => test.signIn())))
    assert.ok(!(await goesOn({}, (auth) => auth.setTokens({ accessToken: jwt({ sub: 'bob' }) }))))
    assert.ok(!(await goesOn(ALICE, ({ test }) => test.signIn({}))))
    assert.ok(!(await goesOn({ claims: { uid: 1 } }, ({ test }) => test.signIn({ claims: { uid: 1 } }))))
    assert.ok(!(await goesOn({}, (auth) => auth.signedIn())))
  })

  it('belongs to the first user who signs in', async () => {
    for (const session of [undefined, null]) {
      assert.ok(await goesOn(session, ({ test }) => test.signIn(ALICE)))
      assert.ok(await goesOn(session, ({ test }) => test.signIn({})))
      assert.ok(!(await goesOn(session, ({ test }) => (test.signIn(ALICE), test.signIn({ claims: { sub: 'bob' } })))))
    }
    assert.ok(await goesOn(undefined, ({ test }) => test.signOut()))
  })
})
