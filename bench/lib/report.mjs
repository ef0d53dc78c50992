// Writes the figures as a page for the docs, and as a picture.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { KINDS } from '../parts/calls.mjs'
import { CONTESTANTS } from '../parts/homes.mjs'
import { FEW, MANY, PEERS } from '../parts/memory.mjs'
import { KNOWN, storms } from '../parts/storms.mjs'
import { TABS } from '../parts/tabs.mjs'
import { plot } from './plot.mjs'
import { ratios, summary } from './stats.mjs'
import { REFERENCE, SUBJECTS, version } from './subjects.mjs'

/** Returns the page. Also writes it and the picture to `directory`, if there is one. */
export function write(report, directory) {
  const { results } = report
  const sections = { sizes, calls, homes, start, storms: stormed, known, left: memory, 'tabs 1': tabs }
  const parts = Object.entries(sections)
    .filter(([part]) => results[part])
    .map(([, section]) => section(report))
  const page = [head(report), ...parts, ...failures(results)].join('\n\n') + '\n'
  if (directory) {
    writeFileSync(`${directory}/README.md`, page)
    if (results.calls && results.sizes) writeFileSync(`${directory}/benchmark.svg`, plot(figures(results)))
  }
  return page
}

function head({ results, rounds, quick, browser }) {
  const packages = SUBJECTS.flatMap(({ packages }) => packages).map((name) => `${name} ${version(name)}`)
  const picture = results.calls && results.sizes ? '\n\n![CPU of a call and size, of each library](benchmark.svg)' : ''
  return `# Benchmark

tokenkeep and its peers, in one run of \`cargo xtask bench\`${quick ? ', **quick: the figures mean nothing**' : ''}. Each measurement has a fresh page in its own profile. Each of ${rounds} rounds
(storms and tabs: ${Math.ceil(rounds / 3)}) has a new random order. Garbage is collected before each part. CPU is the thread time of the page's main thread. Figures are medians,
with quartiles in brackets. "×" is the median ratio to the hand-written wrapper within rounds, so that only measurements taken side by side are
compared. Each measurement checks that the library did its work: status, header, number of requests.

${machine()}; ${browser}; Node ${process.versions.node}. ${packages.join(', ')}.
The wrapper is [forty lines](../../bench/subjects/wrapper.js) with one refresh for all calls and correct handling of a late 401. The set-up of each
library is in [bench/subjects](../../bench/subjects).${picture}`
}

function machine() {
  const all = cpus()
  return `${all.length} × ${all[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}, ${loaded()}`
}

/** The load of the machine, which shows how reliable absolute times are. */
function loaded() {
  const uptime = execFileSync('uptime', { encoding: 'utf8' })
  return `load average ${/load average: ([\d.]+)/.exec(uptime)?.[1] ?? 'unknown'}`
}

function calls({ results }) {
  const kinds = Object.keys(KINDS)
  const cell = (name, kind) => {
    const cpu = pick(results.calls, name, (round) => round[kind]?.cpu)
    const times = ratios(
      cpu,
      pick(results.calls, REFERENCE, (round) => round[kind]?.cpu),
    )
    return `${spread(summary(cpu), 1)} | ${ratio(times)}`
  }
  const wall = (name) => spread(summary(pick(results.calls, name, (round) => round.get?.wall)), 1)
  return `## A call

Microseconds of CPU per call. \`fetch\` is a stub that makes a \`Response\`; the rest is the library's cost. axios always reads the body. Calls repeat
twenty URLs, except in the column with new URLs. The last column is the wall time of the first. Both entries of tokenkeep run the same code here:
their rows differ only by the noise of the machine.

| | ${kinds.map((kind) => `${KINDS[kind]} | ×`).join(' | ')} | wall |
| --- |${' ---: |'.repeat(kinds.length * 2 + 1)}
${rows(results.calls, (name) => `${kinds.map((kind) => cell(name, kind)).join(' | ')} | ${wall(name)}`)}`
}

/** Each home is compared with a bare worker of its own kind. */
const bareOf = (name) => (name.includes('shared') ? 'bare shared worker' : 'bare worker')

function homes({ results }) {
  const of = (name, kind, clock = 'wall') => pick(results.homes, name, (round) => round[kind]?.[clock])
  const beside = (name, other, kind) => ratio(ratios(of(name, kind), of(other, kind)))
  const named = (...names) =>
    CONTESTANTS.filter(({ name, kinds }) => names.some((kind) => kinds.includes(kind)) && results.homes[name])
  const call = (name, kind) =>
    `${spread(summary(of(name, kind)), 0)} | ${beside(name, bareOf(name), kind)} | ${beside(name, `${bareOf(name)} alone`, kind)}`
  const kinds = ['json', 'post', 'large']
  const token = (name) => `${spread(summary(of(name, 'token')), 0)} | ${beside(name, bareOf(name), 'token')}`
  const proof = (name, without) =>
    `| ${title(name)} | ${spread(summary(of(name, 'json')), 0)} | ${spread(summary(of(name, 'json', 'cpu')), 0)} | ${without ? `${beside(name, without, 'json')} | ${difference(of(name, 'json'), of(without, 'json'))}` : '– | –'} |`
  const count = Math.max(...Object.values(results.homes).map((rounds) => rounds.length))
  const load = results.homes.worker.find((round) => round?.load)?.load
  return `## A call through a home

Microseconds of wall time per call to the server on the loopback interface, with the response read to its end: \`GET\` of a small JSON, \`POST\` of one, \`GET\` of 256 kB. All contestants run in one
page and take turns, in a new order in each of ${count} rounds; the load average was ${load?.toFixed(1)} at the start. The first "×" is the median ratio within rounds to a hand-written worker that answers a message with a bare
\`fetch\` and one structured clone of status, headers and body (for the shared worker: to a shared one). The second "×" is stricter: it compares with the same \`fetch\` and clone timed inside that worker, without the messages
between page and worker. tokenkeep's limit for \`auth.fetch\` is 2.5 in that column; a page's own \`fetch\` also pays for the browser's way through a service worker, which the row of the bare service worker shows. auth0-spa-js sends API calls from the page, where the token is; its worker sends the token request only.

| | ${kinds.map((kind) => `${{ json: 'GET, small', post: 'POST', large: 'GET, 256 kB' }[kind]} | × | × alone`).join(' | ')} |
| --- |${' ---: |'.repeat(9)}
${named('post')
  .map(({ name, title }) => `| ${title} | ${kinds.map((kind) => call(name, kind)).join(' | ')} |`)
  .join('\n')}

A new token: \`auth.refresh()\` of tokenkeep, \`getTokenSilently({ cacheMode: 'off' })\` of auth0-spa-js, and a bare \`POST\` from the worker above. They do not do the same work: auth0-spa-js also checks an ID token;
tokenkeep takes a Web Lock and reports the new state to the page.

| | microseconds | × |
| --- | ---: | ---: |
${named('token')
  .map(({ name, title }) => `| ${title} | ${token(name)} |`)
  .join('\n')}

DPoP: a call with a proof beside the same call without one. A proof costs a SHA-256 digest of the token and an ES256 signature, both by WebCrypto. The server does not verify the proof, so this is the client's cost alone. CPU is
that of the page's main thread.

| | microseconds | CPU | × | more by |
| --- | ---: | ---: | ---: | ---: |
${[proof('page'), proof('page dpop', 'page'), proof('worker'), proof('worker dpop', 'worker'), proof('sign')].join('\n')}`
}

function difference(values, without) {
  const found = summary(values.map((value, round) => value - without[round]))
  return found ? `${found.median.toFixed(0)} µs` : '–'
}

function start({ results }) {
  const of = (name, clock) => pick(results.start, name, (round) => round[clock])
  const compiled = (name) =>
    ['javascript', 'webAssembly'].map((kind) => results.compiled?.[name]?.[0][kind] ?? '–').join(' | ')
  return `## Start

Milliseconds from \`import()\` to the first response to a call with a token, on the loopback interface: one request to sign in (auth0: two), and one to the API.
The last two columns: how many functions the main thread compiles meanwhile. V8 compiles a function when it is first called, unless it has compiled it
with the module, in the background.

| | wall | × | CPU | × | JavaScript functions | WebAssembly functions |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows(results.start, (name) => `${['wall', 'cpu'].map((clock) => `${spread(summary(of(name, clock)), 1)} | ${ratio(ratios(of(name, clock), of(REFERENCE, clock)))}`).join(' | ')} | ${compiled(name)}`)}`
}

function stormed({ results, quick }) {
  const counts = storms(quick)
  const cell = (name, count) => {
    const all = results.storms[name].map((round) => round?.[count]).filter(Boolean)
    if (!all.length) return '– | – | –'
    const of = (clock) => pick(results.storms, name, (round) => round[count]?.[clock])
    const times = ratios(
      of('cpu'),
      pick(results.storms, REFERENCE, (round) => round[count]?.cpu),
    )
    const served = Math.min(...all.map(({ done }) => done))
    const counted = `${range(all.map(({ refreshes }) => refreshes))} / ${range(all.map(({ api }) => api))}`
    return `${served < count ? `**${served} of ${count} served**, ` : ''}${counted} | ${spread(summary(of('wall')), 0)} | ${spread(summary(of('cpu')), 0)} ${ratio(times)}`
  }
  return `## A storm

The given number of calls at once with a token that the API refuses, against a real server over HTTP/1.1: refreshes / requests to the API, milliseconds
until all calls are answered, milliseconds of CPU with the ratio.

| | ${counts.map((count) => `${count} | wall | CPU`).join(' | ')} |
| --- |${' --- | ---: | ---: |'.repeat(counts.length)}
${rows(results.storms, (name) => counts.map((count) => cell(name, count)).join(' | '))}`
}

function known({ results }) {
  const cell = ([round]) =>
    round?.api === undefined ? '–' : `${round.done} of ${KNOWN} | ${round.refreshes} | ${round.api}`
  return `The same with ${KNOWN} calls and a token whose expiry the client knows (\`expires_in\`): a client that uses it refreshes once and sends each call once.

| | served | refreshes | requests |
| --- | ---: | ---: | ---: |
${rows(results.known, (name) => cell(results.known[name]))}`
}

function memory({ results }) {
  const value = (part, name) => results[part]?.[name]?.[0] ?? {}
  const number = (n, unit, digits = 0) => (n === undefined ? '–' : `${n.toFixed(digits)} ${unit}`)
  const thousand = (n) => n.toLocaleString('en')
  const growth = (n) => (n === undefined ? '–' : number(n / 1024, 'kB', 1))
  return `## Memory

The growth of the JavaScript heap and of the WebAssembly memory between call ${thousand(FEW)} and call ${thousand(MANY)} (peers: ${thousand(PEERS)}); the memory of a call that was refused
once and waits for the refresh, one of 1,000; the highest rise of the page's memory during an upload of 200 MB that is refused once and sent again.

| | heap | WebAssembly | held call | upload |
| --- | ---: | ---: | ---: | ---: |
${rows(results.left, (name) => {
  const { heap, wasm, wasmBytes } = value('left', name)
  return [
    growth(heap),
    wasmBytes ? `${number(wasm, 'B')} of ${number(wasmBytes / 1024, 'kB')}` : '',
    growth(value('held', name).bytes),
    number(value('upload', name).peak, 'MB', 1),
  ].join(' | ')
})}`
}

function sizes({ results }) {
  const kilo = (bytes) => (bytes / 1000).toFixed(1)
  return `## Size

Kilobytes of a typical set-up, bundled and minified by esbuild. The figures of tokenkeep/file include the \`.wasm\`.

| | raw | gzip | brotli |
| --- | ---: | ---: | ---: |
${rows(results.sizes, (name) => ['raw', 'gzip', 'brotli'].map((how) => kilo(results.sizes[name][0][how])).join(' | '))}`
}

function tabs({ results }) {
  const part = (count) => results[`tabs ${count}`] ?? {}
  const wall = (name, count) => pick(part(count), name, (round) => round.wall)
  const refreshes = (name) =>
    range((part(TABS)[name] ?? []).map((round) => round?.refreshes).filter((n) => n !== undefined))
  return `## ${TABS} tabs at once

Tabs of one browser that wake at the same moment with the same revoked token: milliseconds until the last tab has its response.

| | one tab | ${TABS} tabs | refreshes |
| --- | ---: | ---: | ---: |
${rows(part(1), (name) => `${spread(summary(wall(name, 1)), 0)} | ${spread(summary(wall(name, TABS)), 0)} | ${refreshes(name)}`)}`
}

function failures(results) {
  const said = new Set()
  for (const [part, subjects] of Object.entries(results)) {
    for (const [name, rounds] of Object.entries(subjects)) {
      for (const round of rounds) {
        if (round?.failed) said.add(`- ${title(name)}, ${part}: ${round.failed}`)
        for (const storm of Object.values(round ?? {}))
          if (storm?.why) said.add(`- ${title(name)}, ${part}: ${storm.why}`)
      }
    }
  }
  return said.size ? [`## Failures\n\n${[...said].join('\n')}`] : []
}

/** For the picture: title, microseconds a call, kilobytes gzip. */
function figures(results) {
  return SUBJECTS.map(({ name, title, ours }) => ({
    title: title.replace(/[*`]/g, ''),
    ours,
    cpu: summary(pick(results.calls, name, (round) => round.get?.cpu))?.median,
    gzip: results.sizes[name]?.[0]?.gzip / 1000,
  }))
}

const title = (name) => [...SUBJECTS, ...CONTESTANTS].find((one) => one.name === name).title

const rows = (part, cells) =>
  SUBJECTS.filter(({ name }) => part[name])
    .map(({ name, title }) => `| ${title} | ${cells(name)} |`)
    .join('\n')

/** One value for each round; NaN if the round failed. */
const pick = (part, name, of) => (part[name] ?? []).map((round) => of(round ?? {}) ?? NaN)

const spread = (found, digits) =>
  found ? `${found.median.toFixed(digits)} [${found.low.toFixed(digits)}–${found.high.toFixed(digits)}]` : 'failed'

const ratio = (found) => (found ? `${found.median.toFixed(2)}×` : '–')

function range(values) {
  if (!values.length) return '–'
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return low === high ? `${low}` : `${low}–${high}`
}
