// Listeners that throw, or call the manager: whatever they do, each event is reported once to everybody, and every call settles.

import assert from 'node:assert/strict'
import { world } from './support/world.mjs'

const { server, it } = await world()

/** The events, how a call of a signed-in user causes each, and the call's outcome without interference. */
const FACTS = {
  change: { comes: () => server.revoke(), answer: 200, told: ['refresh'] },
  refresh: { comes: () => server.revoke(), answer: 200, told: ['refresh'] },
  refresherror: {
    comes: () => server.revoke().then(() => server.faults({ refresh: 'down' })),
    answer: 'bad-status',
    told: ['refresherror bad-status'],
  },
  signout: { comes: () => server.end(), answer: 401, told: ['signout rejected'] },
}

const isIn = (type) => type !== 'signout'
const leaves = (type, told) => ({ answer: 401, told: [...told, ...(isIn(type) ? ['signout logout'] : [])] })

/** What a listener does, in the page; the call's outcome, if it differs; and who is signed in at the end. */
const DEEDS = {
  throws: {
    does: () => {
      throw new Error('a listener threw')
    },
  },
  'calls fetch': { does: () => auth.fetch('/api/items/1') },
  'calls refresh': {
    does: () => auth.refresh(),
    changes: (type, told) => ({ told: isIn(type) ? [...told, ...told] : told }),
  },
  'signs out': { does: () => auth.logout('/auth/logout'), changes: leaves, last: null },
  'signs in as another user': { does: () => auth.login('/auth/login', credentials('admin')), last: 'admin' },
  'signs out and in': {
    does: () => (outcome(auth.logout('/auth/logout')), auth.login('/auth/login', credentials('admin'))),
    changes: leaves,
    last: 'admin',
  },
  disposes: {
    does: () => auth.dispose(),
    changes: (type, told) => ({ answer: 'disposed', told: type === 'change' ? [] : told }),
  },
  'adds another': { does: () => auth.addEventListener('change', () => {}) },
}

/** In the page: the listener acts at the first such event. Then a call causes the event. */
async function listens(type) {
  const done = new Promise((resolve) => {
    auth.addEventListener(
      type,
      () => {
        try {
          resolve(Promise.resolve(does()).catch(() => {}))
        } catch (error) {
          resolve()
          throw error
        }
      },
      { once: true },
    )
  })
  events.length = 0
  const answer = await call('/api/me')
  await done
  return { answer: answer.error?.code ?? answer.status, told: told() }
}

for (const [deed, { does, changes, last }] of Object.entries(DEEDS)) {
  it(`a listener that ${deed}`, async (user) => {
    const page = await user.tab()
    for (const [type, { comes, answer, told }] of Object.entries(FACTS)) {
      await server.reset()
      await page.evaluate(() => (auth.dispose(), start(), auth.login('/auth/login', credentials('alice'))))
      await comes()
      await page.evaluate(`void (globalThis.does = ${does})`)
      assert.deepEqual(await page.evaluate(listens, type), { answer, told, ...changes?.(type, told) }, type)
      if (last === undefined) continue
      await server.faults()
      assert.equal((await page.evaluate(() => call('/api/me'))).body.name, last ?? undefined, type)
    }
  })
}
