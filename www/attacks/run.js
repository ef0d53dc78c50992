// @ts-check
// Runs the attacks one after the other. The page loads this module when the button is pressed, and so after the
// package.

import { judge } from './judge.js'
import { ATTACKS } from './list.js'
import { createSpy } from './spy.js'

/** @typedef {import('./list.js').App} App */
/** @typedef {import('./list.js').Attack} Attack */
/**
 * `seen`: the number of texts and memories that it saw.
 * @typedef {{ attack: Attack, loot?: import('./judge.js').Loot,
 * seen: number, failed?: string }} Result
 */

/** How long an attack may take, in milliseconds. */
const PATIENCE = 20_000

/** @param {App} app @param {(result: Result) => void} report */
export async function runAttacks(app, report) {
  for (const attack of ATTACKS) report(await run(attack, app))
}

/** @param {Attack} attack @param {App} app @returns {Promise<Result>} */
async function run(attack, app) {
  const spy = createSpy()
  const late = lateness()
  let failed
  try {
    await Promise.race([attack.run(spy, app), late.promise])
  } catch (error) {
    failed = String(error)
  } finally {
    late.stop()
    spy.leave()
  }
  const texts = await spy.loot()
  return { attack, loot: await judge(texts), seen: texts.length, failed }
}

/** Rejects when an attack has taken too long, unless it was stopped. */
function lateness() {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer
  /** @type {Promise<never>} */
  const promise = new Promise(
    (_, reject) => (timer = setTimeout(() => reject(new Error('it took too long')), PATIENCE)),
  )
  return { promise, stop: () => clearTimeout(timer) }
}
