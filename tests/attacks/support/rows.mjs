// The format of an attack.
//
// { name, when, seeks, inherent, homes, mount, … }: `when` the attacker's script runs, `before` or `after` the package
// is loaded, or undefined if it does not matter. `seeks`: its goal. `inherent`: the homes in which it works, and must
// work; in all others it must fail. `differs`: the same for an engine in which it works in other homes. `homes`: the
// homes in which it can be mounted, if not all. `mount(scene)` resolves to what the attack got: texts in which a token
// is searched, or whether it got something else. `server` is for the app's server, `lacks` names missing features by
// engine.

export const ACCESS = 'access token'
export const REFRESH = 'refresh token'

/** Every home. */
export const EVERYWHERE = ['page', 'worker', 'shared-worker', 'service-worker']

/**
 * The homes in which the page's own `fetch` reaches the refresh endpoint, because no service worker controls the page.
 */
export const UNSERVED = ['page', 'worker', 'shared-worker']

/**
 * A script in the page that patches functions of the platform, and records their arguments and results. It is mounted
 * twice.
 */
export function patch(
  name,
  script,
  /** @type {any} */ { before = ['page'], after = ['page'], options, argument, seeks = ACCESS, act, ...more } = {},
) {
  /** @type {[string, string[]][]} */
  const times = [
    ['before', before],
    ['after', after],
  ]
  return times.map(([when, inherent]) => ({
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

/** The homes in which an attack works in an engine. */
export const inherentIn = ({ inherent, differs }, engine) => differs?.[engine] ?? inherent

/** Whether an attack can be mounted in a home. */
export const isOf = ({ homes }, home) => homes?.includes(home) ?? true

/** Whether the attacker got what the row seeks. */
export function isGot({ seeks }, got, secrets) {
  if (seeks === ACCESS) return secrets.isIn(got, 'access')
  if (seeks === REFRESH) return secrets.isIn(got, 'refresh')
  if (typeof got !== 'boolean')
    throw new TypeError('an attack whose goal is not a token must return whether it reached the goal')
  return got
}
