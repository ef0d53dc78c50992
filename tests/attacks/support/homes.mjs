// The homes of a manager (the realms in which it may keep its tokens), and the careless manager as the control.

/** Name, module, and the options that select the home. Each has a column in the table. */
export const homes = [
  { name: 'page', module: '/tokenkeep/index.js', options: {} },
  { name: 'worker', module: '/tokenkeep/isolation/page.js', options: { isolation: 'worker' } },
  { name: 'shared-worker', module: '/tokenkeep/isolation/page.js', options: { isolation: 'shared-worker' } },
  {
    name: 'service-worker',
    module: '/tokenkeep/isolation/page.js',
    options: { isolation: 'service-worker', worker: '/sw.js' },
  },
]

/**
 * A manager that makes every mistake. An attack that works in no home must work on it: an attack that never works would
 * prove nothing.
 */
export const careless = { name: 'careless', module: '/careless.js' }
