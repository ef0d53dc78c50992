// The homes of a manager, that is the realms in which it may keep its tokens, and the one that keeps nothing: the control.

/** Name, module, and the options that choose the home. Each has a column in the table. */
export const homes = [
  { name: 'page', module: '/tokenkeep/index.js', options: {} },
  { name: 'worker', module: '/tokenkeep/isolation/page.js', options: { isolation: 'worker' } },
  { name: 'shared-worker', module: '/tokenkeep/isolation/page.js', options: { isolation: 'shared-worker' } },
]

/**
 * A keeper that makes every mistake. What works in no home must work on it: an attack that never works would hold against anything, and
 * say nothing.
 */
export const careless = { name: 'careless', module: '/careless.js' }
