// Runs the tests that say what a session is, wherever the token lives: HOME_OF_TOKENS says where. Arguments are the runner's options.

import { spawnSync } from 'node:child_process'

// Files in which the home matters most. The others of this folder are about answers that the core judges in every home, about what only a page
// has, or, like isolation.test.mjs and dpop.test.mjs, name their homes themselves.
const FILES = ['abort', 'bodies', 'outages', 'pending-logout', 'refresh', 'rotation', 'session', 'streams', 'tabs']

if (!process.env.HOME_OF_TOKENS) throw new Error('set HOME_OF_TOKENS to the name of a home')
const files = FILES.map((name) => `${name}.test.mjs`)
const atOnce = process.env.AT_ONCE ?? 1
process.exitCode =
  spawnSync(process.execPath, ['--test', `--test-concurrency=${atOnce}`, ...process.argv.slice(2), ...files], {
    stdio: 'inherit',
  }).status ?? 1
