// The example of docs/testing/vitest.md, run by Vitest: in plain Node, in jsdom and in happy-dom.

import { test } from 'node:test'
import { installPackage } from './support/package.mjs'
import { passes } from './support/run.mjs'

test('vitest: in node, jsdom and happy-dom', async () => {
  installPackage()
  // The component is tested in the two environments with a page, the rest in all three.
  await passes('vitest', 'vitest/vitest.mjs', ['run', '--reporter=json'], {
    'account.test.tsx': 2 * 7,
    'todos.test.ts': 3 * 4,
    'module.test.ts': 3 * 2,
  })
})
