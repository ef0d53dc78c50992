// Pages of another origin. The verdicts hold for a server that follows docs/security.md.

import { ACCESS } from '../support/rows.mjs'

/** An origin of the same site, such as another subdomain, so that `SameSite` is no defence. */
const sibling = ({ elsewhere }) => `http://127.0.0.1:${elsewhere.port}`

const foreign = (name, seeks, mount) => ({ name, seeks, inherent: [], mount })

/** Sends a form into a hidden frame. Runs in a page of another origin. */
function sendForm([action, fields]) {
  return new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { name: 'silent' })
    const form = Object.assign(document.createElement('form'), { action, method: 'POST', target: 'silent' })
    for (const [name, value] of Object.entries(fields))
      form.append(Object.assign(document.createElement('input'), { name, value }))
    document.body.append(frame, form)
    frame.onload = () => {
      try {
        // Once the frame cannot be read, it has left the blank page.
        void frame.contentWindow.location.href
      } catch {
        resolve()
      }
    }
    form.submit()
  })
}

export default [
  foreign('A sibling origin fetches the refresh endpoint with credentials', ACCESS, async (scene) => {
    await scene.signedIn()
    const page = await scene.blank('/', sibling(scene))
    return page.evaluate(
      (url) => fetch(url, { method: 'POST', credentials: 'include' }).then((answer) => answer.text(), String),
      `${scene.server.origin}/auth/refresh`,
    )
  }),
  foreign(
    "Login CSRF: a form of a sibling origin signs the user in to the attacker's account",
    "the user works in the attacker's account",
    async (scene) => {
      const page = await scene.blank('/', sibling(scene))
      await page.evaluate(sendForm, [`${scene.server.origin}/auth/login`, { username: 'mallory' }])
      const app = await scene.tab()
      await app.evaluate(() => auth.fetch('/api/me'))
      return scene.server.users().at(-1) === 'mallory'
    },
  ),
  foreign('Logout CSRF: a form of a sibling origin signs the user out', 'the user is signed out', async (scene) => {
    await scene.signedIn()
    const page = await scene.blank('/', sibling(scene))
    await page.evaluate(sendForm, [`${scene.server.origin}/auth/logout`, {}])
    return scene.server.sessionsOf('alice') === 0
  }),
  foreign("An opener of another origin asks the app's tab by `postMessage`", ACCESS, async (scene) => {
    const opener = await scene.blank('/', scene.elsewhere.origin)
    const page = await scene.opened(opener)
    await scene.story(page)
    await page.evaluate(() => {
      globalThis.asked = new Promise((resolve) => addEventListener('message', resolve))
    })
    await opener.evaluate(() => {
      addEventListener('message', ({ data }) => attacker.keep(data))
      for (const message of ['token?', { tokenkeep: 2, kind: 'ask' }, { type: 'getAccessToken' }])
        opened.postMessage(message, '*')
    })
    await page.evaluate(() => asked)
    // A reply to the messages would arrive before this one.
    await page.evaluate(() => opener.postMessage('last', '*'))
    return scene.loot(opener)
  }),
]
