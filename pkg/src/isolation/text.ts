// A text of options, by which it is found out whether those of two pages are the same. The page names a shared worker by it, and the worker
// makes it anew of what came: what a page says of its own options is not believed.

import { TokenError } from '../error.js';

export type Given = Record<string, unknown>;

/** As JSON, the members in the order of their names. Throws a `TokenError` that names what cannot cross. */
export function textOf(value: unknown, path = ''): string {
  if (Array.isArray(value)) return `[${value.map((item, i) => textOf(item, `${path}[${i}]`)).join()}]`;
  if (isRecord(value)) {
    const members = Object.keys(value).filter((name) => value[name] !== undefined).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${textOf(value[name], path ? `${path}.${name}` : name)}`).join()}}`;
  }
  if (typeof value === 'object' ? value !== null : typeof value === 'function' || typeof value === 'symbol')
    throw new TokenError('invalid-option', `option \`${path}\` cannot cross to a worker; give it to \`serve\` of tokenkeep/worker, in a worker file of your own.`);
  return typeof value === 'bigint' ? `${value}n` : `${JSON.stringify(value)}`;
}

export function isRecord(value: unknown): value is Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return !prototype || !Object.getPrototypeOf(prototype);
}
