// Every verdict depends on this search: it must find a token in any form, and must not mistake anything else for one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secrets } from './support/secrets.mjs'

const secrets = new Secrets()
const token = secrets.access({ sub: 'alice' })
const refresh = secrets.refresh()

const DISGUISES = {
  'as it is': (text) => text,
  'in a text': (text) => `{"a":"Bearer ${text}"}`,
  reversed: (text) => [...text].toReversed().join(''),
  'in base64': (text) => btoa(text),
  'in base64, behind something': (text) => btoa(`Bearer ${text} and more`),
  'in base64, one byte later': (text) => btoa(`!Bearer ${text} and more`),
  'in base64, two bytes later': (text) => btoa(`!!Bearer ${text} and more`),
  'in base64 of URLs': (text) => Buffer.from(text).toString('base64url'),
  'in hexadecimal digits': (text) => Buffer.from(text).toString('hex'),
  'as bytes': (text) => [...Buffer.from(text)].join(),
  'as a list of characters': (text) => [...text],
  'as a list of codes': (text) => [...Buffer.from(text)].map(String),
  'in UTF-16': (text) => Buffer.from(text, 'utf16le').toString('latin1'),
  'in pieces': (text) => text.match(/.{1,7}/g),
  'without its first parts': (text) => text.split('.').at(-1),
}

for (const [how, disguise] of Object.entries(DISGUISES)) {
  test(`a token is found ${how}`, () => {
    assert.ok(secrets.isIn(disguise(token), 'access'))
    assert.ok(secrets.isIn(disguise(refresh), 'refresh'))
    assert.ok(!secrets.isIn(disguise(token), 'refresh'))
  })
}

test('the payload of a token is not a token', () => {
  assert.ok(!secrets.isIn(token.split('.').slice(0, 2).join('.'), 'access'))
  assert.ok(!secrets.isIn([undefined, 'Bearer', `rt-${'a'.repeat(43)}`], 'access'))
})
