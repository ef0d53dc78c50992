// The test for every player: its token expires while it loads, and it plays on.

import assert from 'node:assert/strict'
import { refused } from '../../e2e/support/stub.mjs'
import { playlist, segment } from './audio.mjs'
import { snippet } from './docs.mjs'
import { library } from './library.mjs'

const SEGMENTS = 6

/** Makes a player's tests. `page` and `title`: where its code is. `runsOutAt`: the requests with an expired token. Call the tests when
 * all servers of a file have started. */
export async function player(name, page, title, runsOutAt = ['list.m3u8', '2.aac']) {
  let runsOut
  const { server, it } = await library({
    code: snippet(page, title),
    html: `<!doctype html><meta charset="utf-8"><title>tokenkeep</title><link rel="icon" href="data:,"><body><video id="video" muted></video><script type="module" src="/bundle.js"></script>`,
    routes: {
      '/api/media/': (arrived) => {
        const file = arrived.path.split('/').at(-1)
        if (file === runsOut && arrived.nth === 1) server.revoke()
        if (!server.who(arrived)) return refused()
        return file.endsWith('.m3u8')
          ? { type: 'application/vnd.apple.mpegurl', body: playlist(SEGMENTS) }
          : { type: 'audio/aac', body: segment(parseInt(file)) }
      },
    },
  })
  return () => {
    const files = ['list.m3u8', ...Array.from({ length: SEGMENTS }, (_, n) => `${n}.aac`)]
    for (const file of runsOutAt) {
      it(`${name}: the token expires at ${file}, and it plays to the end`, async (tab) => {
        runsOut = file
        // An eager manager has refreshed before there was a session.
        const before = server.at('/auth/refresh').length
        await tab.evaluate(async () => {
          globalThis.shown = play(document.querySelector('video'), '/api/media/list.m3u8')
          // The player may have replaced the element.
          const video = () => document.querySelector('video')
          const isWhole = () => video()?.buffered.length && video().buffered.end(0) > 11.5
          while (!isWhole()) {
            await new Promise((done) => setTimeout(done, 50))
            // Until it plays, it may load only the beginning.
            if (video()?.readyState && video().paused) await video().play()
          }
          video().currentTime = 11
          await video().play()
          await new Promise((done) => (video().ended ? done() : video().addEventListener('ended', done)))
        })
        assert.equal(server.at('/auth/refresh').length - before, 1)
        for (const one of files) {
          const asked = server.at(`/api/media/${one}`).length
          assert.ok((one === file ? [2] : [1, 2]).includes(asked), `${one} was asked for ${asked} times`)
        }
      })
    }
  }
}
