// The homes of a manager, that is the realms in which it may keep its tokens, and the one that keeps nothing: the control.

/**
 * Name, module, and the options that choose the home. Each has a column in the table. The attacks name others, too: what is expected of a
 * home before it stands here.
 */
export const homes = [{ name: 'page', module: '/tokenkeep/index.js', options: {} }]

/**
 * A keeper that makes every mistake. What works in no home must work on it: an attack that never works would hold against anything, and
 * say nothing.
 */
export const careless = { name: 'careless', module: '/careless.js' }
