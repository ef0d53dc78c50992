// Runs the tests that say what a session is, wherever the token lives: HOME_OF_TOKENS says where. Arguments are the runner's options.

import { spawnSync } from 'node:child_process'

// Not among them: tests of what a page alone has, or of the package beside its manager; answers that the core judges, wherever it is; and what
// isolation.test.mjs and dpop.test.mjs do in each home by themselves.
const FILES = [
  'abort', 'bodies', 'failures', 'outages', 'pending-logout', 'points', 'redirects', 'refresh', 'refusals', 'requests', 'rotation', 'session',
  'session-hint', 'streams', 'tabs',
]

if (!process.env.HOME_OF_TOKENS) throw new Error('set HOME_OF_TOKENS to the name of a home')
const files = FILES.map((name) => `${name}.test.mjs`)
process.exitCode = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...process.argv.slice(2), ...files], { stdio: 'inherit' }).status ?? 1
