// A page over plain http on a host other than localhost: an insecure context, which has no Web Locks. Each tab refreshes there as if it
// were the only one, and the console says so.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { engine } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const HOST = 'intranet.test'

const stub = await startStub({
  '/auth/login': () => granted('old'),
  '/auth/logout': () => ({ status: 204 }),
  '/auth/refresh': ({ nth }) => granted(`new-${nth}`),
  '/api/x': ({ headers }) => (headers.authorization?.startsWith('Bearer new') ? json({ ok: true }) : refused()),
})
const browser = await startBrowser({ args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] })

/** A test with tabs in an insecure context, and everything that their consoles print. */
function it(name, body) {
  check(name, async (t) => {
    if (engine !== 'chrome') throw new Lack("a name of the test's own for this machine (--host-resolver-rules)")
    stub.reset()
    const user = await User.visits(t, browser, stub.origin.replace('127.0.0.1', HOST))
    const said = []
    const open = async () => {
      const page = await user.signedIn({}, (page) => void page.on('console', (message) => said.push(message.text())))
      assert.deepEqual(await page.evaluate(() => [isSecureContext, 'locks' in navigator]), [false, false])
      return page
    }
    await body(open, said)
  })
}

const calls = (page) =>
  page.evaluate(() =>
    Promise.all(Array.from({ length: 20 }, (_, n) => call(`/api/x?${n}`).then(({ status }) => status))),
  )

it('a page without Web Locks works as one tab, and warns once', async (open, said) => {
  const page = await open()
  assert.deepEqual(await calls(page), Array(20).fill(200))
  assert.equal(stub.at('/auth/refresh').length, 1)
  await page.evaluate(() => auth.logout('/auth/logout'))
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  assert.deepEqual(await calls(page), Array(20).fill(401))
  assert.equal(stub.at('/auth/refresh').length, 1)
  await page.evaluate(() => (auth.dispose(), start()))
  const ours = said.filter((text) => text.startsWith('tokenkeep'))
  assert.equal(ours.length, 1, ours.join('\n'))
  assert.match(ours[0], /each tab refreshes on its own/)
})

it('tabs without Web Locks take no turns, but still tell each other what happens', async (open) => {
  const tabs = [await open(), await open()]
  let meet
  const met = new Promise((resolve) => (meet = resolve))
  stub.routes['/auth/refresh'] = async ({ nth }) => {
    if (nth === tabs.length) meet()
    await met
    return granted(`new-${nth}`)
  }
  await Promise.all(tabs.map((tab) => tab.evaluate(() => auth.refresh())))
  for (const tab of tabs) assert.deepEqual(await calls(tab), Array(20).fill(200))
  await tabs[0].evaluate(() => auth.logout('/auth/logout'))
  await tabs[1].evaluate(() => until(({ status }) => status === 'signed-out'))
})
