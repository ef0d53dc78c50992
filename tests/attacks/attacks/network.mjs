// Scripts in the page that patch functions which send requests and read responses.

import { patch } from '../support/rows.mjs'

export default [
  ...patch('`fetch`', () => attacker.spy(globalThis, 'fetch')),
  ...patch('`Headers`', () => {
    attacker.spy(globalThis, 'Headers')
    attacker.spyAll(Headers.prototype)
  }),
  ...patch('`Request`', () => {
    attacker.spy(globalThis, 'Request')
    attacker.spyAll(Request.prototype)
  }),
  ...patch(
    '`Response.prototype.json`, `text`, `arrayBuffer`, `blob`',
    () => attacker.spy(Response.prototype, 'json', 'text', 'arrayBuffer', 'blob', 'bytes'),
    { before: [], after: [] },
  ),
  ...patch('`Response.prototype.clone`, `body`, `headers`', () =>
    attacker.spy(Response.prototype, 'clone', 'body', 'headers', 'status', 'ok'),
  ),
  ...patch('`ReadableStream` and its readers', () => {
    attacker.spyAll(ReadableStream.prototype)
    attacker.spyAll(ReadableStreamDefaultReader.prototype)
  }),
  ...patch('`XMLHttpRequest`', () => attacker.spyAll(XMLHttpRequest.prototype), { before: [], after: [] }),
  ...patch(
    '`AbortController` and `AbortSignal`',
    () => {
      attacker.spy(globalThis, 'AbortController')
      attacker.spyAll(AbortController.prototype)
      attacker.spyAll(AbortSignal.prototype)
    },
    { before: [], after: [] },
  ),
  ...patch(
    '`URL`, `URLSearchParams`, `encodeURIComponent`',
    () => {
      attacker.spy(globalThis, 'URL', 'URLSearchParams', 'encodeURIComponent', 'decodeURIComponent')
      attacker.spyAll(URL.prototype)
      attacker.spyAll(URLSearchParams.prototype)
    },
    { before: [], after: [] },
  ),
]
