// @ts-check
// Runs the attacks one after the other. The page loads this module when the button is pressed, and so after the package.

import { judge } from './judge.js';
import { ATTACKS } from './list.js';
import { createSpy } from './spy.js';

export { ATTACKS };

/** @typedef {import('./list.js').App} App */
/** @typedef {import('./list.js').Attack} Attack */
/** `seen`: the number of texts and memories that it saw. @typedef {{ attack: Attack, loot?: import('./judge.js').Loot, seen: number, failed?: string }} Result */

/** @param {App} app @param {(result: Result) => void} report */
export async function runAttacks(app, report) {
  for (const attack of ATTACKS) report(await run(attack, app));
}

/** @param {Attack} attack @param {App} app @returns {Promise<Result>} */
async function run(attack, app) {
  const spy = createSpy();
  let failed;
  try {
    await attack.run(spy, app);
  } catch (error) {
    failed = String(error);
  } finally {
    spy.leave();
  }
  const texts = await spy.loot();
  return { attack, loot: await judge(texts), seen: texts.length, failed };
}
