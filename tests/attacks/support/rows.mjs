// How an attack is written down.
//
// { name, when, seeks, inherent, homes, mount, … }: `when` the attacker's script runs, `before` or `after` the package is loaded, or undefined where
// that makes no difference. `seeks`: what it is after. `inherent`: the homes in which it works, and must: in all others it must not.
// `homes`: those that it can be mounted in, where that is not all of them.
// `mount(scene)` fulfils with what it got: texts among which a token is looked for, or whether it got what else it is after. `server` is
// for the app's server, `lacks` says by engine what is not there.

export const ACCESS = 'access token'
export const REFRESH = 'refresh token'

/** In every home, present and to come. */
export const EVERYWHERE = ['page', 'worker', 'shared-worker']

/** A script in the page that patches what the package may use, and keeps what comes by. It is mounted twice. */
export function patch(name, script, { before = ['page'], after = ['page'], options, argument, seeks = ACCESS, act, ...more } = {}) {
  return [['before', before], ['after', after]].map(([when, inherent]) => ({
    name,
    when,
    seeks,
    inherent,
    ...more,
    async mount(scene) {
      const page = await scene.tab({ options, argument, [when]: script })
      await (act ? act(scene, page) : scene.story(page))
      return scene.loot(page)
    },
  }))
}

/** Whether an attack can be mounted in a home. */
export const isOf = ({ homes }, home) => homes?.includes(home) ?? true

/** Whether the attacker got what a row is after. */
export function isGot({ seeks }, got, secrets) {
  if (seeks === ACCESS) return secrets.isIn(got, 'access')
  if (seeks === REFRESH) return secrets.isIn(got, 'refresh')
  if (typeof got !== 'boolean') throw new TypeError('an attack that is after no token says whether it got what it is after')
  return got
}
