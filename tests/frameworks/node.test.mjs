// The Node versions for the frameworks' tools.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { suits } from '../e2e/support/node.mjs'
import { NEEDED } from './support/node22.mjs'

test('versions of Node are compared as numbers', () => {
  for (const version of ['22.22.3', '22.22.10', '22.100.0', '24.15.0', '26.0.0', '27.1.0', '100.0.0'])
    assert.ok(suits(version, NEEDED), version)
  for (const version of ['9.99.99', '20.19.0', '22.9.0', '22.22.2', '23.11.0', '24.2.0', '24.14.9', '25.9.0'])
    assert.ok(!suits(version, NEEDED), version)
})

test('Angular requires the versions listed here', () => {
  const { engines } = JSON.parse(
    readFileSync(new URL('node_modules/@angular/cli/package.json', import.meta.url), 'utf8'),
  )
  const [first, second, last] = NEEDED
  assert.equal(engines.node, `^${first} || ^${second} || >=${last}`)
})
