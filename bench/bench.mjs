// The benchmark: tokenkeep and its peers, interleaved in random order, each in a fresh page. `cargo xtask bench` runs
// it.
//
//   node bench.mjs [--rounds N] [--quick] [--only PART,…] [--to DIRECTORY]

import { parseArgs } from 'node:util'
import { startBrowser } from './lib/browser.mjs'
import { write } from './lib/report.mjs'
import { startServer } from './lib/server.mjs'
import { files as bundles, SUBJECTS } from './lib/subjects.mjs'
import { calls } from './parts/calls.mjs'
import { CONTESTANTS, homes } from './parts/homes.mjs'
import { memory } from './parts/memory.mjs'
import { sizes } from './parts/sizes.mjs'
import { start } from './parts/start.mjs'
import { storm } from './parts/storms.mjs'
import { tabs } from './parts/tabs.mjs'

const PARTS = { sizes, calls, homes, start, tabs, memory, storms: storm }

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, quick: { type: 'boolean' }, only: { type: 'string' }, to: { type: 'string' } },
})
const quick = !!values.quick
const rounds = Number(values.rounds ?? (quick ? 1 : 11))
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number')
const chosen = values.only?.split(',') ?? Object.keys(PARTS)
for (const part of chosen) if (!PARTS[part]) throw new Error(`--only: there are ${Object.keys(PARTS).join(', ')}`)

/** part → subject → the measurements of each round. A failure is `{ failed }`. */
const results = {}
let failures = 0

/** Does one measurement. A failure is reported, and the others go on. */
async function record([part, round, name], work) {
  const into = ((results[part] ??= {})[name] ??= [])
  try {
    into[round] = await work((partly) => (into[round] = structuredClone(partly)))
  } catch (error) {
    const failed = String(error?.message ?? error).split('\n')[0]
    into[round] = { ...into[round], failed }
    console.error(`  ${name}: ${part}: ${failed}`)
    if ([...SUBJECTS, ...CONTESTANTS].find((one) => one.name === name).ours) failures++
  }
}

const report = () => ({ results, rounds, quick, browser: chrome.version })

const files = await bundles()
const server = await startServer(files)
const chrome = await startBrowser()
try {
  for (const part of chosen) {
    const since = Date.now()
    await PARTS[part]({ chrome, server, rounds, quick, record, files })
    // Save the measurements so far, in case a later one fails.
    write(report(), values.to)
    console.error(`${part}: ${((Date.now() - since) / 1000).toFixed(0)} s`)
  }
} finally {
  await chrome.close()
  server.close()
}
console.log(write(report(), values.to))
// A peer may fail, but tokenkeep must not.
if (failures) process.exitCode = 1
