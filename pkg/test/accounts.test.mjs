// Several accounts side by side, with test managers.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createAccounts } from '../dist/session/accounts.js'
import { watchIdle } from '../dist/session/idle.js'
import { inspect } from '../dist/session/inspector.js'
import { can } from '../dist/session/permissions.js'
import { createTestTokenManager } from '../dist/testing.js'

/** A manager whose calls end when the test says so. */
class Manager {
  state = Object.freeze({ status: 'unknown', claims: null, expiresAt: null, sessionExpiresAt: null })
  listeners = new Set()
  calls = []
  disposed = 0

  constructor(name) {
    this.name = name
  }

  fetch = (...args) => {
    this.calls.push(args)
    return new Promise((resolve) => (this.answer = resolve))
  }

  subscribe = (listener) => (this.listeners.add(listener), () => this.listeners.delete(listener))
  become(state) {
    this.state = Object.freeze({ ...this.state, ...state })
    for (const listener of this.listeners) listener()
  }

  /** What `logout` rejects with. @type {Error | undefined} */
  fails

  logout = async () => {
    this.become({ status: 'signed-out' })
    if (this.fails) throw this.fails
  }

  dispose = () => void this.disposed++
}

/** The storage of an origin, with the event that other tabs get. */
class Store extends Map {
  getItem = (key) => this.get(key) ?? null
  setItem = (key, value) => void this.set(key, value)
}

let made
let accounts
const create = (name) => (made[name] = new Manager(name))
const start = (options) => (accounts = createAccounts({ create, ...options }))
const names = () => accounts.state.accounts.map(({ name }) => name)
const KEY = 'accounts'
const remembered = () => JSON.parse(localStorage.get(KEY)).names
let storage

beforeEach(() => {
  made = {}
  globalThis.localStorage = /** @type {any} */ (new Store())
  globalThis.addEventListener = (type, listener) => type === 'storage' && (storage = listener)
  globalThis.removeEventListener = (type, listener) => storage === listener && (storage = undefined)
})
afterEach(() => accounts?.dispose())

describe('accounts', () => {
  it('start empty: a call is not sent, and rejects with signed-out', async () => {
    start()
    assert.deepEqual(accounts.state, { current: null, accounts: [] })
    assert.equal(accounts.current, undefined)
    await assert.rejects(accounts.fetch('/api/me'), { code: 'signed-out', retryable: false })
  })

  it('use the first account added; the next one only after switch()', () => {
    start()
    assert.equal(accounts.add('work'), made.work)
    accounts.add('home')
    assert.deepEqual([accounts.state.current, names()], ['work', ['work', 'home']])
    assert.equal(accounts.current, made.work)
    accounts.switch('home')
    assert.equal(accounts.current, made.home)
    assert.equal(accounts.get('work'), made.work)
    assert.equal(accounts.get('none'), undefined)
  })

  it('return the existing account if it is added again', () => {
    start()
    const first = accounts.add('work')
    assert.equal(accounts.add('work'), first)
    assert.deepEqual(names(), ['work'])
  })

  it('send a call for the account that is current at the time of the call', async () => {
    start()
    for (const name of ['work', 'home']) accounts.add(name)
    const { fetch } = accounts
    const init = { method: 'POST' }
    const call = fetch('/api/me', init)
    accounts.switch('home')
    void fetch('/api/me')
    assert.deepEqual([made.work.calls, made.home.calls], [[['/api/me', init]], [['/api/me']]])
    assert.equal(made.work.calls[0][1], init)
    made.work.answer('of work')
    assert.equal(await call, 'of work')
  })

  it("notify of each change: of the list, of the current account, and of an account's own state", () => {
    start()
    const seen = []
    const end = accounts.subscribe(() => seen.push(accounts.state))
    accounts.add('work')
    made.work.become({ status: 'signed-in' })
    accounts.add('home')
    accounts.switch('home')
    accounts.switch('home')
    end()
    accounts.switch('work')
    assert.deepEqual(
      seen.map(
        ({ current, accounts }) => `${current}: ${accounts.map(({ name, state }) => `${name} ${state.status}`)}`,
      ),
      [
        'work: work unknown',
        'work: work signed-in',
        'work: work signed-in,home unknown',
        'home: work signed-in,home unknown',
      ],
    )
    assert.ok(
      seen.every(
        (state) => Object.isFrozen(state) && Object.isFrozen(state.accounts) && Object.isFrozen(state.accounts[0]),
      ),
    )
    const { state } = accounts
    assert.equal(accounts.state, state)
  })

  it('sign out and dispose a removed account, and select no other one by themselves', async () => {
    start()
    for (const name of ['work', 'home']) accounts.add(name)
    await accounts.remove('work')
    assert.deepEqual([made.work.state.status, made.work.disposed, made.work.listeners.size], ['signed-out', 1, 0])
    assert.deepEqual([accounts.state.current, names()], [null, ['home']])
    await assert.rejects(accounts.fetch('/api/me'), { code: 'signed-out' })
    assert.equal(made.home.calls.length, 0)
  })

  it('keep an account signed out until its server could be told', async () => {
    start({ remember: KEY })
    accounts.add('work')
    made.work.fails = Object.assign(new Error('no network'), { retryable: true })
    await assert.rejects(accounts.remove('work'), { message: 'no network' })
    assert.deepEqual(
      [names(), made.work.disposed, accounts.state.accounts[0].state.status],
      [['work'], 0, 'signed-out'],
    )
    assert.deepEqual(remembered(), ['work'])
    made.work.fails = Object.assign(new Error('refused'), { retryable: false })
    await assert.rejects(accounts.remove('work'), { message: 'refused' })
    assert.deepEqual([names(), made.work.disposed], [[], 1])
    assert.deepEqual(remembered(), [])
  })

  it('sign nobody out when disposed, and free everything', async () => {
    start({ remember: KEY })
    accounts.add('work')
    made.work.become({ status: 'signed-in', claims: { sub: 'alice' } })
    const told = []
    accounts.subscribe(() => told.push(accounts.state))
    accounts.dispose()
    assert.deepEqual(
      [made.work.disposed, made.work.listeners.size, made.work.state.status, storage],
      [1, 0, 'signed-in', undefined],
    )
    assert.deepEqual(
      [accounts.state, accounts.current, accounts.get('work'), told],
      [{ current: null, accounts: [] }, undefined, undefined, []],
    )
    assert.deepEqual(remembered(), ['work'])
    assert.throws(() => accounts.add('home'), { code: 'disposed' })
    assert.throws(() => accounts.switch('work'), { code: 'disposed' })
    await assert.rejects(accounts.fetch('/api/me'), { code: 'disposed' })
    assert.deepEqual(Object.keys(made), ['work'])
  })

  it('leave no manager behind if a remembered account cannot be created', () => {
    localStorage.set(KEY, '{"names":["work","home"],"used":"home"}')
    const fails = (name) => {
      if (name === 'home') throw new Error('no such account')
      return create(name)
    }
    assert.throws(() => createAccounts({ create: fails, remember: KEY }), { message: 'no such account' })
    assert.deepEqual([made.work.disposed, made.work.listeners.size, storage], [1, 0, undefined])
  })

  it('report wrong arguments', async () => {
    assert.throws(() => createAccounts(/** @type {any} */ ({})), {
      code: 'invalid-argument',
      message: /`create` takes a function/,
    })
    start({ create: () => ({}) })
    assert.throws(() => accounts.add('work'), {
      code: 'invalid-argument',
      message: /`create` must return a token manager/,
    })
    const one = new Manager()
    start({ create: () => one })
    accounts.add('work')
    assert.throws(() => accounts.add('home'), { code: 'invalid-argument', message: /a new manager for each name/ })
    for (const name of ['', 5, undefined, 'x'.repeat(201)])
      assert.throws(() => accounts.add(name), { code: 'invalid-argument', message: /a name is a string/ })
    assert.throws(() => accounts.switch('none'), { code: 'invalid-argument', message: /there is no account "none"/ })
    await assert.rejects(accounts.remove('none'), { code: 'invalid-argument' })
  })
})

describe('the remembered accounts', () => {
  it('are none, unless the app asks for it', () => {
    start()
    accounts.add('work')
    assert.equal(localStorage.size, 0)
  })

  it('are names and the one used last, never anything of a session', () => {
    start({ remember: KEY })
    for (const name of ['work', 'home']) accounts.add(name).become({ status: 'signed-in', claims: { sub: 's3cr3t' } })
    accounts.switch('home')
    assert.deepEqual([.../** @type {any} */ (localStorage)], [[KEY, '{"names":["work","home"],"used":"home"}']])
    accounts.dispose()
    made = {}
    start({ remember: KEY })
    assert.deepEqual([accounts.state.current, Object.keys(made)], ['home', ['work', 'home']])
  })

  it('are none if the stored value is not a list of names', () => {
    for (const odd of [
      '',
      'x',
      'null',
      '5',
      '[]',
      '{}',
      '{"names":5}',
      '{"names":{"length":1e9}}',
      '{"names":[5,"",null,["a"]],"used":"a"}',
    ]) {
      localStorage.set(KEY, odd)
      start({ remember: KEY })
      assert.deepEqual(accounts.state, { current: null, accounts: [] }, odd)
      accounts.dispose()
    }
    localStorage.set(KEY, JSON.stringify({ names: Array.from({ length: 1000 }, (_, n) => `n${n >> 1}`) }))
    start({ remember: KEY })
    assert.equal(names().length, 50)
  })

  it('are shared with other tabs: names come and go, and each tab keeps its current account', () => {
    start({ remember: KEY })
    for (const name of ['work', 'home']) accounts.add(name)
    const { home } = made
    storage({ key: 'other', newValue: '{"names":[]}' })
    storage({ key: KEY, newValue: '{"names":["work","third"],"used":"third"}' })
    assert.deepEqual([accounts.state.current, names(), home.disposed], ['work', ['work', 'third'], 1])
    storage({ key: KEY, newValue: null })
    assert.deepEqual([accounts.state.current, names()], [null, []])
  })

  it('keep names that another tab has added', () => {
    start({ remember: KEY })
    accounts.add('work')
    localStorage.set(KEY, '{"names":["work","theirs"],"used":"theirs"}')
    accounts.add('home')
    assert.deepEqual(remembered(), ['work', 'theirs', 'home'])
  })

  it('are not stored without storage, and nothing fails because of it', () => {
    for (const store of [
      undefined,
      {
        getItem() {
          throw new Error('denied')
        },
        setItem() {
          throw new Error('full')
        },
      },
    ]) {
      globalThis.localStorage = /** @type {any} */ (store)
      start({ remember: KEY })
      accounts.add('work')
      assert.deepEqual(names(), ['work'])
      accounts.dispose()
    }
  })
})

describe('can', () => {
  /** @param {any} claims @param {import('tokenkeep').TokenState['status']} [status] */
  const state = (claims, status = 'signed-in') => ({ status, claims })

  it('reads scopes as in RFC 8693, and as lists', () => {
    assert.ok(can(state({ scope: 'read orders:write' }), 'orders:write'))
    assert.ok(can(state({ scp: ['read', 'write'] }), ['read', 'write']))
    assert.ok(can(state({ scope: 'read', scp: 'write' }), ['read', 'write']))
  })

  it('matches whole names and whole list entries only', () => {
    for (const wanted of ['write', 'orders', 'orders:write read', 'READ', '', [], ['read', 'delete']]) {
      assert.equal(can(state({ scope: 'read orders:write' }), wanted), false, JSON.stringify(wanted))
    }
  })

  it('reads the claims that are named, by name or by path', () => {
    const claims = {
      permissions: ['a'],
      'https://example.com/roles': ['b'],
      realm_access: { roles: ['c'] },
      resource_access: { 'my-app': { roles: ['d'] } },
    }
    assert.equal(can(state(claims), 'a'), false)
    assert.ok(can(state(claims), 'a', 'permissions'))
    assert.ok(can(state(claims), 'b', 'https://example.com/roles'))
    assert.ok(can(state(claims), ['c', 'd'], ['realm_access.roles', 'resource_access.my-app.roles']))
  })

  it('allows nothing without claims, when signed out, or by inherited properties', () => {
    for (const nothing of [
      state(null),
      state({}),
      state({ scope: 'read' }, 'signed-out'),
      state({ scope: 'read' }, 'unknown'),
      state({ scope: { read: true } }),
      state({ scope: 5 }),
    ]) {
      assert.equal(can(nothing, 'read'), false)
    }
    assert.equal(can(state({ realm_access: null }), 'read', 'realm_access.roles'), false)
    assert.equal(can(state(Object.create({ scope: 'read' })), 'read'), false)
    assert.equal(can(state({}), 'Object', 'constructor.name'), false)
  })
})

describe('a test double', () => {
  it('can replace a manager in all of them', async () => {
    start({ create: () => createTestTokenManager({ session: { claims: { sub: 'alice', scope: 'read' } } }) })
    const auth = accounts.add('work')
    auth.test.respond('/api/me', Response.json({ name: 'Alice' }))
    assert.deepEqual(await (await accounts.fetch('/api/me')).json(), { name: 'Alice' })
    assert.ok(can(auth.state, 'read'))
    const idle = watchIdle(auth, { after: 60_000 })
    const inspector = inspect(auth, { console: false })
    await auth.refresh()
    assert.equal(idle.state.status, 'active')
    assert.ok(inspector.entries.some((entry) => entry.kind === 'event' && entry.type === 'refresh'))
    inspector.dispose()
    idle.dispose()
    await accounts.remove('work')
    assert.deepEqual(names(), [])
  })
})
