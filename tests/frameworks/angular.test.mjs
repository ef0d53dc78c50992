// Angular: the app of docs/frameworks/angular.md, built by Angular's own tools, without zones and with zone.js.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from './support/node22.mjs'
import { manager, withOld } from './support/old.mjs'
import { write } from './support/page.mjs'
import { comesBack, enter, rows } from './support/rows.mjs'
import { isQuiet, pages, says, startSite, world } from './support/site.mjs'

const NG = fileURLToPath(new URL('node_modules/@angular/cli/bin/ng.js', import.meta.url))

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

const { it } = await world()
const app = write('angular')
await run([NG, 'build', 'app'], app)
await run([NG, 'build', 'app', '--configuration', 'zoned'], app)
const zoneless = await startSite(pages(join(app, 'dist/zoneless')))
const zoned = await startSite(pages(join(app, 'dist/zoned')))

rows((what, body) => it(zoneless, `Angular: ${what}`, body))
comesBack((what, body) => it(zoneless, `Angular: ${what}`, body))

/** Signs in without the form. */
async function enterZoned(open) {
  const page = await open('/')
  await page.evaluate(() =>
    auth.login('/auth/login', { body: new URLSearchParams({ username: 'alice', password: 'wonderland' }) }),
  )
  await says(page, 'signed-in alice')
  return page
}

for (const [name, site, arrive] of /** @type {[string, any, any][]} */ ([
  ['without zones', zoneless, enter],
  ['with zone.js', zoned, enterZoned],
])) {
  const here = (what, body) => it(site, `${name}: ${what}`, body)

  here('the app becomes stable, whatever timers the manager has', async (open) => {
    const page = await arrive(open)
    assert.equal(await page.evaluate(() => stable()), true)
    await page.evaluate(() => calls(3))
    assert.equal(await page.evaluate(() => stable()), true)
    isQuiet(page)
  })

  here('three requests with a token that has ended cost one refresh', async (open, server) => {
    const page = await arrive(open)
    const before = await server.refreshes()
    await server.revoke()
    assert.deepEqual(await page.evaluate(() => calls(3)), [200, 200, 200])
    assert.equal(await server.refreshes(), before + 1)
  })

  here("who is not signed in gets the API's own 401", async (open, server) => {
    const page = await open('/')
    const { failed } = await page.evaluate(() => events('GET', '/api/me', {}))
    assert.equal(failed.status, 401)
    assert.equal(typeof failed.error.error, 'string')
    assert.equal((await server.log('/api/me')).length, 1)
  })

  here('what is forbidden is no reason to refresh', async (open, server) => {
    const page = await arrive(open)
    const before = await server.refreshes()
    const { failed } = await page.evaluate(() => events('GET', '/api/admin', {}))
    assert.equal(failed.status, 403)
    assert.equal(await server.refreshes(), before)
  })

  here('an outage is an HttpErrorResponse that has the TokenError', async (open, server) => {
    const page = await arrive(open)
    await server.faults({ refresh: 'down' })
    await server.revoke()
    const { failed } = await page.evaluate(() => events('GET', '/api/me', {}))
    assert.deepEqual(failed, { status: 0, error: 'TokenError bad-status' })
  })

  here('the body is sent again with the token that is new', async (open, server) => {
    const page = await arrive(open)
    await server.revoke()
    const { events: told } = await page.evaluate(() => events('POST', '/api/echo', { body: { said: 'once' } }))
    assert.equal(told.at(-1).body.sha256, sha256('{"said":"once"}'))
    assert.deepEqual(await server.lines('/api/echo'), ['POST /api/echo 401', 'POST /api/echo 200'])
  })

  here("to unsubscribe is to abort, and what comes late is nobody's", async (open, server) => {
    const page = await arrive(open)
    await server.faults({ api: 'hold' })
    await page.evaluate(async () => {
      globalThis.late = []
      const http = await client()
      globalThis.going = http.get('/api/me').subscribe({
        next: () => late.push('next'),
        error: () => late.push('error'),
        complete: () => late.push('complete'),
      })
    })
    await server.held('api')
    const aborted = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/me'))
    await page.evaluate(() => going.unsubscribe())
    await aborted
    await server.release('api')
    await server.faults({})
    // Another call has completed since.
    await page.evaluate(() => calls(1))
    assert.deepEqual(await page.evaluate(() => late), [])
  })

  here('an app that is gone has ended its subscription', async (open) => {
    const page = await arrive(open)
    assert.equal(await page.evaluate(() => listeners), 1)
    await page.evaluate(() => destroy())
    assert.equal(await page.evaluate(() => listeners), 0)
  })
}

it(zoneless, "the backend supports HttpClient's kinds of bodies", async (open) => {
  const page = await enter(open)
  const seen = await page.evaluate(async () => {
    const http = await client()
    const get = (options) =>
      new Promise((done, failed) =>
        http.post('/api/echo', { a: 'b' }, options).subscribe({ next: done, error: failed }),
      )
    return {
      json: await get({}),
      text: await get({ responseType: 'text' }),
      blob: await (await get({ responseType: 'blob' })).text(),
      bytes: new TextDecoder().decode(await get({ responseType: 'arraybuffer' })),
    }
  })
  assert.deepEqual([seen.json.contentType, seen.json.sha256], ['application/json', sha256('{"a":"b"}')])
  assert.deepEqual(
    [seen.text, seen.blob, seen.bytes].map((text) => JSON.parse(text)),
    [seen.json, seen.json, seen.json],
  )
})

it(zoneless, 'the backend reports download progress, and text that is not JSON', async (open) => {
  const page = await enter(open)
  const { events: told } = await page.evaluate(() => events('GET', '/', { responseType: 'text', reportProgress: true }))
  const types = await page.evaluate(() => ({ ...HttpEventType }))
  const kinds = told.map(({ type }) => types[type])
  assert.deepEqual([...new Set(kinds)], ['Sent', 'ResponseHeader', 'DownloadProgress', 'Response'])
  const last = told.filter(({ type }) => types[type] === 'DownloadProgress').at(-1)
  assert.equal(last.partialText, told.at(-1).body)
  assert.equal(last.loaded, told.at(-1).body.length)
  const { failed } = await page.evaluate(() => events('GET', '/', {}))
  assert.deepEqual(failed, { status: 200, error: 'SyntaxError' })
})

it(zoneless, 'the backend times a request out', async (open, server) => {
  const page = await enter(open)
  await server.faults({ api: 'hold' })
  const { failed } = await page.evaluate(() => events('GET', '/api/me', { timeout: 200 }))
  await server.release('api')
  assert.deepEqual(failed, { status: 0, error: 'TimeoutError' })
})

it(zoneless, 'the backend reports that it has no upload progress', async (open) => {
  const page = await enter(open)
  const { failed } = await page.evaluate(() => events('POST', '/api/echo', { body: 'x', reportUploadProgress: true }))
  assert.deepEqual(failed, { status: 0, error: 'TokenError invalid-argument' })
})

it(zoned, 'the interceptor reports the progress of an upload', async (open, server) => {
  const page = await enterZoned(open)
  await server.revoke()
  const { events: told } = await page.evaluate(() =>
    events('POST', '/api/echo', { body: { said: 'x'.repeat(3000) }, reportProgress: true }),
  )
  const types = await page.evaluate(() => ({ ...HttpEventType }))
  assert.ok(told.some(({ type }) => types[type] === 'UploadProgress'))
  assert.equal(types[told.at(-1).type], 'Response')
  assert.deepEqual(await server.lines('/api/echo'), ['POST /api/echo 401', 'POST /api/echo 200'])
})

it(zoned, 'the interceptor leaves alone other targets, and requests with an Authorization', async (open) => {
  const page = await enterZoned(open)
  const sent = []
  page.on('request', (request) =>
    sent.push([new URL(request.url()).pathname, request.headers().authorization?.slice(0, 7)]),
  )
  await page.evaluate(async () => {
    await events('GET', '/apix', { responseType: 'text' })
    await events('GET', '/api/me', { headers: { Authorization: 'Basic x' } })
    await events('GET', '/api/me', {})
  })
  assert.deepEqual(sent, [
    ['/apix', undefined],
    ['/api/me', 'Basic x'],
    ['/api/me', 'Bearer '],
  ])
})

it(zoned, 'the interceptor does not send a request again in another session', async (open, server) => {
  const page = await enterZoned(open)
  await server.faults({ api: 'hold' })
  await server.revoke()
  await page.evaluate(() => void (globalThis.going = events('POST', '/api/echo', { body: { whose: 'alice' } })))
  await server.held('api')
  await page.evaluate(async () => {
    await auth.logout()
    await auth.login('/auth/login', { body: new URLSearchParams({ username: 'admin', password: 'correct-horse' }) })
  })
  await server.faults()
  await server.release('api')
  assert.equal((await page.evaluate(() => going)).failed.status, 401)
  assert.deepEqual(await server.lines('/api/echo'), ['POST /api/echo 401'])
})

it(zoneless, 'a mistake is one clear error: no manager', async (open) => {
  const page = await open('/')
  const error = await page.evaluate(() => {
    try {
      binding.provideTokenkeep()
    } catch ({ name, code, message }) {
      return { name, code, message }
    }
  })
  assert.deepEqual([error.name, error.code], ['TokenError', 'invalid-argument'])
  assert.match(error.message, /provideTokenkeep: takes the manager that createTokenManager returns, and got undefined/)
})

it(zoneless, 'a mistake is one clear error: no provider', async (open) => {
  const page = await open('/')
  const error = await page.evaluate(() => bare(() => binding.injectAuth()))
  assert.deepEqual([error.name, error.code], ['TokenError', 'invalid-argument'])
  assert.match(error.message, /there is no manager here\. Add provideTokenkeep\(auth\)/)
})

it(zoneless, 'a mistake is one clear error: a disposed manager', async (open) => {
  const page = await enter(open)
  const error = await page.evaluate(async () => {
    const auth = createTokenManager({ refresh: false })
    await auth.setTokens({ accessToken: 'a' })
    auth.dispose()
    return handled([binding.provideTokenkeep(auth)])
  })
  assert.deepEqual([error.name, error.code], ['TokenError', 'invalid-argument'])
  assert.match(error.message, /the manager was disposed. Make it once/)
})

it(zoneless, 'an outage without a page for it rejects the navigation', async (open, server) => {
  await server.faults({ refresh: 'down' })
  const page = await open('/sign-in')
  const error = await page.evaluate(() =>
    inApp(() => binding.authGuard({ signIn: () => 'the form' })({}, { url: '/' })),
  )
  assert.equal(error.code, 'bad-status')
})

test('an unsupported version of Angular is named in the error', async () => {
  const names = [
    'DestroyRef',
    'ErrorHandler',
    'inject',
    'InjectionToken',
    'Injector',
    'makeEnvironmentProviders',
    'PLATFORM_ID',
    'provideEnvironmentInitializer',
    'runInInjectionContext',
    'signal',
  ]
  const core = [
    ...names.map((name) => `export const ${name} = () => {}`),
    'export const VERSION = { major: "17", full: "17.3.0" }',
  ].join('\n')
  const { provideTokenkeep } = await withOld('angular', { '@angular/core': core })
  assert.throws(() => provideTokenkeep(manager), {
    code: 'invalid-argument',
    message: /needs Angular 20 or newer; this is Angular 17\.3\.0/,
  })
})
