// The table in docs/threat-model.md must match the attacks here.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attacks, groups } from './list.mjs'
import { homes } from './support/homes.mjs'
import { EVERYWHERE } from './support/rows.mjs'
import { split, table } from './support/table.mjs'

test('the table of the document matches the list of attacks', () => {
  const [, written] = split()
  assert.equal(
    written,
    table(
      groups,
      homes.map(({ name }) => name),
    ),
    'npm run table writes it',
  )
})

test('each attack has a unique name, and only known homes', () => {
  const names = attacks.map(({ name, when, seeks }) => `${name} ${when} ${seeks}`)
  assert.deepEqual(names, [...new Set(names)])
  for (const { inherent, differs } of attacks)
    for (const home of [inherent, ...Object.values(differs ?? {})].flat()) assert.ok(EVERYWHERE.includes(home), home)
  for (const { name } of homes) assert.ok(EVERYWHERE.includes(name), name)
})
