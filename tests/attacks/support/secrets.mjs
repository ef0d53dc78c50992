// The tokens that the server has granted, and the search for them, in any form, in an attacker's loot.

import { randomBytes } from 'node:crypto'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

export class Secrets {
  #access = []
  #refresh = []

  /** A JWT. Its secret is the signature: the payload is the state's claims, which every script may see. */
  access(claims) {
    const token = `${encode({ alg: 'HS256' })}.${encode(claims)}.${randomBytes(32).toString('base64url')}`
    this.#access.push(token)
    return token
  }

  /** An opaque token. */
  refresh() {
    const token = `rt-${randomBytes(32).toString('base64url')}`
    this.#refresh.push(token)
    return token
  }

  /**
   * Whether the loot contains a token of this kind (`access` or `refresh`): it is a text, or a list of texts, which may
   * be pieces.
   */
  isIn(loot, kind) {
    const texts = [loot].flat(Infinity).filter((text) => typeof text === 'string')
    const all = `${texts.join('\n')}\n${texts.join('')}`
    return (kind === 'access' ? this.#access : this.#refresh).some((token) =>
      forms(token.split('.').at(-1)).some((form) => all.includes(form)),
    )
  }

  forget() {
    this.#access = []
    this.#refresh = []
  }
}

/**
 * The forms of a text. Base64 letters depend on what precedes the text, so the middle of each of the three variants is
 * used.
 */
function forms(text) {
  const bytes = Buffer.from(text)
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  )
  const codes = [...bytes]
  return [
    text,
    [...text].toReversed().join(''),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    codes.join(','),
    codes.join('\n'),
    [...text].join('\0'),
  ]
}
