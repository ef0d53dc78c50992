// Tabs of one browser that wake at the same moment with the same revoked token: the time until all of them have their
// response.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

export const TABS = 20
const WHO = ['wrapper', 'tokenkeep', 'supertokens']

export async function tabs({ chrome, server, rounds, quick, record }) {
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    for (const { name } of shuffled(SUBJECTS.filter(({ name }) => WHO.includes(name)))) {
      for (const count of quick ? [1, 2] : [1, TABS]) {
        await record([`tabs ${count}`, round, name], () =>
          chrome.withProfile((open) => woken(open, server, name, count)),
        )
      }
    }
  }
}

async function woken(open, server, name, count) {
  server.reset()
  const pages = []
  for (let i = 0; i < count; i++) {
    const page = await open(server.origin)
    await page.bench('start', name)
    pages.push(page)
  }
  server.kill()
  // A held response cannot wake the tabs: over HTTP/1.1, only six could wait for one.
  const woken = await Promise.all(pages.map((page) => page.bench('wake')))
  const unserved = woken.filter(({ status }) => status !== 200).length
  if (unserved) throw new Error(`${unserved} of ${count} tabs were not served`)
  const wall = Math.max(...woken.map(({ served }) => served)) - Math.min(...woken.map(({ woken }) => woken))
  return { wall, refreshes: server.state.refreshes }
}
