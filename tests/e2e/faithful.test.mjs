// The wrapper behaves like the platform's fetch (rule 2): everything that the server or the caller can see of a call is the same, in each
// engine by its own standard.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { startEcho } from './support/echo.mjs'
import { engine, home } from './support/engine.mjs'
import { check } from './support/lack.mjs'

const echo = await startEcho()
const user = await User.arrives(await startBrowser(), echo.origin)
const page = await user.blank()
await page.evaluate(() => import('/faithful.js').then(() => {}))

/** The observed facts without the token. */
function less(token, { arrived, ...seen }) {
  if (!arrived) return seen
  const { refused, ...last } = arrived
  return { ...seen, arrived: bare(token, last) }
}

const isToken = (token) => (header) => header.toLowerCase() === `authorization: bearer ${token}`
const carries = (token, { headers }) => headers.some(isToken(token))
const bare = (token, { headers, ...arrived }) => ({
  ...arrived,
  headers: headers.filter((header) => !isToken(token)(header)),
})

// The header fields of the last request, for each way.
const TOKENS = {
  'with a token': 'good',
  'with a token that is refused': 'new',
  'with a token near its end': 'new',
}

const EVERY = [
  'early',
  'without a session',
  'with a token',
  'with a token that is refused',
  'with a token near its end',
]
// A worker has its own clock, which the page cannot advance: there the token is refused instead.
const AGAIN = ['with a token that is refused', ...(home ? ['with a token near its end'] : [])]

// Calls that bring an Authorization, or cannot carry one.
const EXEMPT = ['no-cors mode']

// The known differences, and why they exist. docs/platform.md, "As the platform's".
const DIFFERENCES = {
  // WebKit uploads no stream, and does not lock a stream that it refuses.
  ...(engine === 'webkit' && { 'a stream': EVERY, 'a stream without duplex': EVERY }),
  // WebKit sends a Request's form with empty files once the form is collected: possibly when it is sent late, certainly when it is sent
  // again.
  ...(engine === 'webkit' && { 'a Request with a form': EVERY, 'a form of another realm': AGAIN }),
  // The same error, but Firefox's message says whether the headers were a list or a record.
  ...(engine === 'firefox' && { 'a header value beyond Latin-1': EVERY }),
  // The platform checks the body of the 401.
  integrity: AGAIN,
  'a Request of no cache and integrity': AGAIN,
}

for (const name of await page.evaluate(() => names())) {
  check(`${name}: as the platform`, async () => {
    echo.forget()
    const { platform, ...seen } = await page.evaluate((name) => compare(name), name)
    for (const [way, told] of Object.entries(seen)) {
      if (DIFFERENCES[name]?.includes(way)) continue
      assert.deepEqual(less(TOKENS[way], told), less(TOKENS[way], platform), way)
      if (told.arrived && TOKENS[way] && !EXEMPT.includes(name))
        assert.ok(carries(TOKENS[way], told.arrived), `${way}: the token`)
      // The first sending of a refused request was the same as the second.
      const { refused } = told.arrived ?? {}
      if (way === 'with a token that is refused' && refused && !platform.redirected)
        assert.deepEqual(bare('old', refused), bare('', less('', platform).arrived), 'the first try')
    }
  })
}

check('each member of init is read once, at the call, in the order of the platform', async () => {
  const { platform, ...ours } = await page.evaluate(() => reads())
  for (const [way, names] of Object.entries(ours)) {
    assert.ok(!names.includes('and later'), way)
    assert.equal(new Set(names).size, names.length, way)
    assert.deepEqual(
      names.filter((name) => platform.includes(name)),
      platform,
      way,
    )
  }
})

// A few more microtasks, in the same turn. (WebKit needs a turn to abort a pending call.)
const isSoon = (count, platform) => platform === null || (count !== null && count <= platform + 6)

const REFUSED_AT_ONCE = {
  'a signal that is aborted already': () => ['/fixed', { signal: AbortSignal.abort('why') }],
  'a Request that is aborted already': () => [new Request('/fixed', { signal: AbortSignal.abort('why') })],
  'a bad method': () => ['/fixed', { method: 'A B' }],
  'a bad URL': () => ['http://'],
  'a getter that throws': () => [
    '/fixed',
    {
      get method() {
        throw new RangeError('mine')
      },
    },
  ],
}

for (const [name, make] of Object.entries(REFUSED_AT_ONCE)) {
  check(`${name}: rejects in the same turn as the platform's`, async () => {
    const { platform, ...ours } = await page.evaluate(`rejects(${make})`)
    for (const [way, count] of Object.entries(ours)) {
      assert.ok(isSoon(count, platform), `${way}: ${count} microtasks, the platform ${platform}`)
    }
  })
}

check("a call that is aborted on its way rejects in the same turn as the platform's", async () => {
  const { platform, ...ours } = await page.evaluate(() =>
    ends(
      (signal) => ['/fixed', { signal }],
      (controller) => controller.abort('why'),
    ),
  )
  for (const [way, count] of Object.entries(ours)) {
    assert.ok(isSoon(count, platform), `${way}: ${count} microtasks, the platform ${platform}`)
  }
})

check("it has the name and the length of the platform's, and is no constructor", async () => {
  assert.deepEqual(await page.evaluate(() => shape()), { name: 'fetch', length: 1, constructor: 'TypeError' })
})
