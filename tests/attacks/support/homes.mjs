// The homes of a manager, that is the realms in which it may keep its tokens, and the one that keeps nothing: the control.

import { existsSync } from 'node:fs'
import { PACKAGE } from '../../e2e/support/paths.mjs'

/** By name: the module of the package, and the options that choose the home. */
const KNOWN = {
  page: { module: 'index.js' },
  worker: { module: 'isolated.js', options: { isolation: 'worker' } },
  'shared-worker': { module: 'isolated.js', options: { isolation: 'shared-worker' } },
}

/** Those that the package has. A home that it has not built has no column in the table. */
export const homes = Object.entries(KNOWN)
  .filter(([, { module }]) => existsSync(PACKAGE + module))
  .map(([name, { module, options }]) => ({ name, module: `/tokenkeep/${module}`, options }))

/**
 * A keeper that makes every mistake. Each attack is mounted on it first, and must work: one that does not would hold against
 * anything, and say nothing.
 */
export const careless = { name: 'careless', module: '/careless.js' }
