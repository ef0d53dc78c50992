// A picture for the docs: two bars for each library, on logarithmic scales. It has no colours of its own for the text,
// so that it can be read on light and dark pages alike.

const WIDTH = 860
const ROW = 30
const LEFT = 210
const BAR = 240

export function plot(rows) {
  const height = 70 + rows.length * ROW
  const columns = [
    { x: LEFT, of: 'cpu', title: 'CPU of a call, µs', from: 4, to: 400, ticks: [5, 10, 20, 50, 100, 200] },
    {
      x: LEFT + BAR + 90,
      of: 'gzip',
      title: 'size of a set-up, kB gzip',
      from: 0.1,
      to: 100,
      ticks: [0.1, 1, 10, 100],
    },
  ]
  const labels = rows.map(
    ({ title, ours }, i) =>
      `<text x="${LEFT - 12}" y="${y(i) + 14}" text-anchor="end"${ours ? ' font-weight="bold"' : ''}>${escape(title)}</text>`,
  )
  const bars = columns.flatMap((column) => [axis(column, height), ...rows.map((row, i) => bar(column, row, i))])
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<style>text { fill: #24292f } .grid { stroke: #8c959f; stroke-opacity: .3 } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }</style>
<title>CPU of a call and size of a set-up, by library; shorter is better</title>
${[...labels, ...bars].join('\n')}
</svg>
`
}

const y = (i) => 40 + i * ROW

function axis({ x, title, from, to, ticks }, height) {
  const lines = ticks.map((tick) => {
    const at = (x + place(tick, from, to)).toFixed(1)
    return `<line class="grid" x1="${at}" x2="${at}" y1="34" y2="${height - 24}"/><text x="${at}" y="${height - 8}" text-anchor="middle" font-size="11">${tick}</text>`
  })
  return `<text x="${x}" y="22" font-weight="bold">${title}</text>${lines.join('')}`
}

function bar({ x, of, from, to }, row, i) {
  const value = row[of]
  if (!Number.isFinite(value)) return `<text x="${x + 4}" y="${y(i) + 14}">failed</text>`
  const width = Math.max(1, place(value, from, to)).toFixed(1)
  const text = value < 100 ? value.toFixed(1) : value.toFixed(0)
  return `<rect x="${x}" y="${y(i)}" width="${width}" height="20" rx="2" fill="${row.ours ? '#1f883d' : '#8c959f'}"/><text x="${x + Number(width) + 5}" y="${y(i) + 15}">${text}</text>`
}

/** On a logarithmic scale. */
function place(value, from, to) {
  return (Math.log(Math.min(Math.max(value, from), to) / from) / Math.log(to / from)) * BAR
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
