// The example of docs/testing/jest.md, run by Jest: as CommonJS made by Babel, and as ES modules.

import { test } from 'node:test'
import { installPackage } from './support/package.mjs'
import { passes } from './support/run.mjs'

const COUNTS = { 'account.test.tsx': 7, 'module.test.ts': 2, 'plain.test.ts': 2, 'todos.test.ts': 4 }
const jest = (config, options) => passes('jest', 'jest/bin/jest.js', ['-c', config, '--json'], COUNTS, { options })

test('jest: CommonJS, with a transform of the package', async () => {
  installPackage()
  await jest('commonjs.config.cjs')
})

test('jest: ES modules, with the package unchanged', async () => {
  installPackage()
  await jest('esm.config.cjs', ['--experimental-vm-modules'])
})
