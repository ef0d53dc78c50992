// The tests that every back end must pass, whatever it is made of. The manager is the one on its page of the documentation, and the
// assertions use the back end's own record of the calls.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startFront } from './front.mjs'
import { snippet } from './package.mjs'
import { startBackEnd } from './server.mjs'

// The time limit of a test, in milliseconds: a promise that never settles must fail the test, not hang it.
const TIMEOUT = 60_000

/**
 * `it(name, test)`: the test gets a tab with the manager of the page `docs/backends/<page>.md`, and the tab's user. `start`: the file of
 * its server, or a function that starts it. `paths`: the back end's URLs for the rows. `but`: where the back end differs.
 */
export async function backEnd(start, page, paths, but = {}) {
  const front = await startFront()
  const server = await (typeof start === 'string' ? startBackEnd(start, front.origin) : start(front.origin))
  const client = Object.entries(but.origins?.(server.origins) ?? {}).reduce(
    (text, [said, is]) => text.replaceAll(said, is),
    snippet(page),
  )
  Object.assign(front, { behind: server.origins[0], client })
  const chrome = await startBrowser()
  const it = (name, body) =>
    test(`${page}: ${name}`, { timeout: TIMEOUT }, async () => {
      const user = await User.arrives(chrome, front.origin)
      const tab = await arrive(user)
      await server.reset()
      try {
        await body(tab, user)
      } finally {
        await user.leaves()
      }
    })
  return { server, front, chrome, it, paths, but }
}

/** A tab with the manager. */
export async function arrive(user) {
  const tab = await user.blank()
  await tab.evaluate(() => begin())
  return tab
}

const ALICE = ['alice', 'wonderland']

export const signIn = (tab, [name, password] = ALICE) =>
  tab.evaluate(([name, password]) => outcome(signIn(name, password)), [name, password])
export const signOut = (tab) => tab.evaluate(() => outcome(signOut()))
export const call = (tab, path, init) => tab.evaluate(([path, init]) => call(path, init), [path, init])
export const calls = (tab, path, count) => tab.evaluate(([path, count]) => callsTo(path, count), [path, count])
export const status = (tab) => tab.evaluate(() => auth.state.status)
export const told = (tab) => tab.evaluate(() => told())

/** The calls to a path. */
export const at = (log, path) => log.filter((call) => call.path === path)

/** A token as the record shows it. */
const digest = (text) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** All texts in a value. */
const texts = (value) => (typeof value === 'object' && value ? Object.values(value).flatMap(texts) : [String(value)])

const different = (calls) => new Set(calls.map(({ token }) => token)).size

/** The tests. */
export function rows({ server, it, paths, but }) {
  const { me, admin, login, refresh, logout } = paths
  // The API's origin, if it is not behind the page's own origin.
  const api = but.api?.(server.origins) ?? ''
  const refused = but.refused ?? ((call) => call.status === 401)
  const gone = but.gone ?? refused
  const good = but.good ?? ((answer) => answer.status === 200)
  const enter = (tab, credentials = ALICE) => (but.signIn ?? signIn)(tab, credentials)
  const fine = (call) => call.status < 300 && !call.code
  const allGood = (answers) => assert.ok(answers.every(good), JSON.stringify(answers.find((answer) => !good(answer))))

  it('signing in brings a token that the API accepts, and that the app does not see', async (tab) => {
    const { value, ...failed } = await enter(tab)
    assert.deepEqual(failed, {})
    assert.equal(await status(tab), 'signed-in')
    allGood([await call(tab, api + me)])
    const log = await server.log()
    assert.deepEqual(
      log
        .filter(fine)
        .map(({ path }) => path)
        .filter((path) => path !== but.besides),
      [login, me],
    )
    assert.equal(at(log, refresh).length, 0)
    assert.ok(!texts(value).some((text) => digest(text) === at(log, me)[0].token))
  })

  if (refresh)
    it('twenty calls with an expired token cost one refresh', async (tab) => {
      await enter(tab)
      await server.expire()
      allGood(await calls(tab, api + me, 20))
      const log = await server.log()
      const [old, renewed] = [at(log, me).filter(refused), at(log, me).filter((call) => !refused(call))]
      assert.equal(at(log, refresh).length, 1)
      assert.deepEqual([old.length > 0, different(old), renewed.length, different(renewed)], [true, 1, 20, 1])
      assert.notEqual(old[0].token, renewed[0].token)
      assert.deepEqual(await told(tab), ['refresh'])
    })

  if (refresh)
    it('each refresh continues from the one before', async (tab) => {
      await enter(tab)
      for (let round = 0; round < 3; round += 1) {
        await server.expire()
        allGood([await call(tab, api + me)])
      }
      const log = await server.log()
      assert.equal(at(log, refresh).length, 3)
      assert.equal(different(at(log, me).filter((call) => !refused(call))), 3)
    })

  it('two tabs share one session', async (tab, user) => {
    await enter(tab)
    allGood([await call(tab, api + me)])
    const other = await arrive(user)
    await other.evaluate(() => until(({ status }) => status === 'signed-in'))
    const rounds = 5
    for (let round = 0; round < rounds; round += 1) {
      await server.expire()
      allGood((await Promise.all([calls(tab, api + me, 5), calls(other, api + me, 5)])).flat())
    }
    allGood([await call(tab, api + me), await call(other, api + me)])
    const log = await server.log()
    assert.deepEqual(
      at(log, refresh).filter((call) => !fine(call)),
      [],
    )
    assert.equal(at(log, refresh).length, refresh ? rounds : 0)
    assert.deepEqual([await status(tab), await status(other)], ['signed-in', 'signed-in'])
  })

  it('a wrong password costs no refresh, and keeps the current session', async (tab) => {
    const wrong = ['alice', 'rabbit']
    const first = await enter(tab, wrong)
    assert.deepEqual([first.error?.code, first.error?.retryable], ['rejected', false])
    await enter(tab)
    assert.equal((await enter(tab, wrong)).error?.code, 'rejected')
    allGood([await call(tab, api + me)])
    const log = await server.log()
    assert.equal(at(log, refresh).length, 0)
    assert.equal(at(log, login).length, 3)
  })

  it('a missing permission is left to the app, and costs no refresh', async (tab) => {
    await enter(tab)
    const answer = await call(tab, api + admin)
    assert.ok(but.forbidden ? but.forbidden(answer) : answer.status === 403, JSON.stringify(answer))
    const log = await server.log()
    assert.equal(at(log, admin).length, 1)
    assert.equal(at(log, refresh).length, 0)
    assert.deepEqual(await told(tab), [])
  })

  it('a session that the server ends, ends here, once', async (tab) => {
    await enter(tab)
    await server.end()
    await server.expire()
    const answers = await calls(tab, api + me, 20)
    assert.ok(
      answers.every((answer) => !good(answer) && !answer.error),
      JSON.stringify(answers.at(-1)),
    )
    assert.deepEqual(await told(tab), [`signout ${but.reason ?? 'rejected'}`])
    assert.equal(await status(tab), 'signed-out')
    await call(tab, api + me)
    const log = await server.log()
    assert.equal(at(log, refresh).length, refresh ? 1 : 0)
    assert.ok(at(log, me).every((call) => gone(call) || refused(call)))
    // A cookie that the server has not deleted is still sent: the page cannot see it.
    if (!but.unseen) assert.ok(!at(log, me).at(-1).token)
  })

  it(
    logout ? 'signing out ends the session, here and on the server' : 'signing out ends the session here',
    async (tab) => {
      await enter(tab)
      allGood([await call(tab, api + me)])
      assert.equal((await signOut(tab)).error, undefined)
      assert.equal(await status(tab), 'signed-out')
      assert.deepEqual(await told(tab), ['signout logout'])
      if (logout) {
        assert.equal(at(await server.log(), logout).length, 1)
        assert.equal(await server.tell('sessions'), 0)
      }
      const before = (await server.log()).length
      assert.ok(!good(await call(tab, api + me)))
      const [after, ...more] = (await server.log()).slice(before)
      assert.deepEqual([after.path, Boolean(after.token), more], [me, false, []])
    },
  )
}
