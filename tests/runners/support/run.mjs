// Runs a program from node_modules, with a suitable Node.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newEnoughNode } from '../../e2e/support/node.mjs'

const RUNNERS = fileURLToPath(new URL('../', import.meta.url))
const PACKAGES = `${RUNNERS}node_modules/`
// Required by Vitest, MSW and jsdom.
const NODE = '22.0.0'
// The time limit of a run, in milliseconds: a runner that hangs must fail.
const PATIENCE = 180_000

/** Runs `program` (a file in node_modules) in a folder of this one. Resolves to `{ code, stdout, stderr }`, even on failure. */
export function run(folder, program, args, { options = [], env = {} } = {}) {
  // The program is not part of this test, and must not report to it.
  const { NODE_TEST_CONTEXT, NODE_OPTIONS, ...mine } = process.env
  return new Promise((resolve) => {
    execFile(
      newEnoughNode(PACKAGES, NODE),
      [...options, PACKAGES + program, ...args],
      {
        cwd: RUNNERS + folder,
        encoding: 'utf8',
        timeout: PATIENCE,
        maxBuffer: 2 ** 26,
        env: { ...mine, CI: 'true', FORCE_COLOR: '0', ...env },
      },
      (error, stdout, stderr) => resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    )
  })
}

/**
 * Runs tests with a runner that writes Jest's report. All of them must pass, and their number must match `counts`, by file: a runner that
 * finds no tests has not succeeded.
 */
export async function passes(folder, program, args, counts, options) {
  const scratch = mkdtempSync(join(tmpdir(), 'tokenkeep-'))
  try {
    const file = join(scratch, 'report.json')
    const { code, stdout, stderr } = await run(folder, program, [...args, `--outputFile=${file}`], options)
    const said = `${stdout}\n${stderr}`.slice(-8_000)
    assert.ok(existsSync(file), said)
    const { testResults, numPassedTests, numTotalTests } = JSON.parse(readFileSync(file, 'utf8'))
    const found = {}
    for (const { name, assertionResults } of testResults) {
      found[basename(name)] =
        (found[basename(name)] ?? 0) + assertionResults.filter(({ status }) => status === 'passed').length
    }
    assert.deepEqual(found, counts, said)
    assert.equal(numPassedTests, numTotalTests, said)
    assert.equal(code, 0, said)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** The installed version of a package. */
export const installed = (name) => JSON.parse(readFileSync(`${PACKAGES}${name}/package.json`, 'utf8')).version
