// Writes the table into docs/threat-model.md: `npm run table`.

import { writeFileSync } from 'node:fs'
import { groups } from '../list.mjs'
import { homes } from './homes.mjs'
import { DOCUMENT, split, table } from './table.mjs'

const [before, , after] = split()
writeFileSync(
  DOCUMENT,
  before +
    table(
      groups,
      homes.map(({ name }) => name),
    ) +
    after,
)
