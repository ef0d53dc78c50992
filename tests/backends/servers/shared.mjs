// Shared by the small servers: bodies, answers, and realistic tokens.

import { createHmac, randomBytes } from 'node:crypto'

const KEY = randomBytes(32)
export const PASSWORDS = { alice: 'wonderland', bob: 'builder' }

export const random = () => randomBytes(16).toString('hex')

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const sign = (text) => createHmac('sha256', KEY).update(text).digest('base64url')

/** A JWT (RFC 7519). */
export function jwt(claims) {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${sign(text)}`
}

/** The claims of one of our JWTs, expired or not; `null` if it is not ours. */
export function claimsOf(token) {
  const [head, body, signature] = token.split('.')
  return signature === sign(`${head}.${body}`) ? JSON.parse(Buffer.from(body, 'base64url').toString()) : null
}

export async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {}
}

export function answer(response, status, value, headers) {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    .end(JSON.stringify(value))
}
