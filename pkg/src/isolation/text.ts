// Writes options as a text, to compare those of two pages. The page uses the text in the name of a shared worker. The
// worker writes it again from the options that it received, because a page could lie about the text.

import { TokenError } from '../error.js'

export type Given = Record<string, unknown>

/** JSON with sorted members. Throws a `TokenError` that names an option that cannot be sent to a worker. */
export function textOf(value: unknown, path = ''): string {
  if (Array.isArray(value)) return `[${value.map((item, i) => textOf(item, `${path}[${i}]`)).join()}]`
  if (isRecord(value)) {
    const members = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort()
    return `{${members.map((name) => `${JSON.stringify(name)}:${textOf(value[name], path ? `${path}.${name}` : name)}`).join()}}`
  }
  if (typeof value === 'object' ? value !== null : typeof value === 'function' || typeof value === 'symbol')
    throw new TokenError(
      'invalid-option',
      `option \`${path}\` cannot be sent to a worker; pass it to \`serve\` of tokenkeep/worker, in your own worker file.`,
    )
  return typeof value === 'bigint' ? `${value}n` : `${JSON.stringify(value)}`
}

export function isRecord(value: unknown): value is Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return !prototype || !Object.getPrototypeOf(prototype)
}
