// The table of docs/threat-model.md, generated from the list of attacks.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inherentIn, isOf } from './rows.mjs'

export const DOCUMENT = fileURLToPath(new URL('../../../docs/threat-model.md', import.meta.url))

/** The table's place in the document: between these headings. */
const BEGIN = '## The attacks\n'
const END = '\n## '

/** `groups` as in list.mjs, `homes` by name. */
export function table(groups, homes) {
  const row = (cells) => `| ${cells.join(' | ')} |`
  return groups
    .flatMap(([title, attacks]) => [
      `### ${title}`,
      '',
      row(['attack', 'goal', ...homes]),
      row(['---', '---', ...homes.map(() => '---')]),
      ...lines(attacks).map((attack) =>
        row([
          attack.when ? `${attack.name}, ${attack.when}` : attack.name,
          attack.seeks,
          ...homes.map((home) => verdict(attack, home)),
        ]),
      ),
      '',
    ])
    .join('\n')
}

/** The engines in which a verdict may differ from Chromium's. */
const OTHERS = { firefox: 'Firefox', webkit: 'WebKitGTK' }

function verdict(attack, home) {
  if (!isOf(attack, home)) return ''
  const word = (engine) => (inherentIn(attack, engine).includes(home) ? 'inherent' : '**holds**')
  const differing = Object.keys(OTHERS).filter((engine) => word(engine) !== word('chrome'))
  return [word('chrome'), ...differing.map((engine) => `${word(engine)} in ${OTHERS[engine]}`)].join(', ')
}

/** Merges the lines `before` and `after` if their verdicts are the same. */
function lines(attacks) {
  const left = [...attacks]
  const found = []
  while (left.length) {
    const [attack] = left.splice(0, 1)
    const { name, when, inherent, differs } = attack
    const other = left[0]
    const isSame =
      when === 'before' &&
      other?.name === name &&
      other.when === 'after' &&
      JSON.stringify([other.inherent, other.differs]) === JSON.stringify([inherent, differs])
    if (isSame) left.splice(0, 1)
    found.push(isSame ? { ...attack, when: 'before and after' } : attack)
  }
  return found
}

/** The document in parts: the text before the table, the table, and the text after it. */
export function split(text = readFileSync(DOCUMENT, 'utf8')) {
  const begin = text.indexOf('\n### ', text.indexOf(BEGIN)) + 1
  const end = text.indexOf(END, begin)
  return [text.slice(0, begin), text.slice(begin, end), text.slice(end)]
}
