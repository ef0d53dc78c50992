// Mounts attacks in every home of the package. An attack must work where it is called inherent, and must fail
// everywhere else. An attack that works in no home is mounted on the careless manager, and must work there, unless the
// platform prevents it.

import assert from 'node:assert/strict'
import { engine } from '../../e2e/support/engine.mjs'
import { check, Lack } from '../../e2e/support/lack.mjs'
import { careless, homes } from './homes.mjs'
import { inherentIn, isGot, isOf } from './rows.mjs'
import { stage } from './scene.mjs'

/** A test for each attack and home. */
export async function mount(attacks) {
  const scene = await stage()
  for (const attack of attacks) {
    const { name, when, lacks, barred, server } = attack
    const inherent = inherentIn(attack, engine)
    const isHeldOff = homes.every(({ name }) => !inherent.includes(name))
    const own = homes.filter(({ name }) => isOf(attack, name))
    for (const home of isHeldOff ? [careless, ...own] : own) {
      const works = home === careless ? !barred : inherent.includes(home.name)
      check(`${home.name}: ${name}${when ? `, ${when}` : ''}: ${works ? 'inherent' : 'holds'}`, async (t) => {
        if (lacks?.[engine]) throw new Lack(lacks[engine])
        const set = await scene(t, home, server)
        const got = isGot(attack, await attack.mount(set), set.server.secrets)
        assert.equal(got, works, got ? 'the attacker got it' : 'the attacker got nothing')
      })
    }
  }
}
