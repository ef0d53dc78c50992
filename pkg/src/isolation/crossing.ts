// The options on their way to the worker: plain values, with their URLs resolved against this page, and a text by which two pages find out
// that theirs are the same.

import { ownBase } from '../base.js';
import { TokenError } from '../error.js';

type Given = Record<string, unknown>;

/** `options` is a snapshot. Throws a `TokenError` that names what cannot cross. */
export function crossingOptions(options: Given): { options: Given; text: string; name: string } {
  const base = ownBase();
  const resolved = (value: unknown) => {
    try {
      return typeof value === 'string' ? new URL(value, base).href : value;
    } catch {
      // The worker says what is wrong with it.
      return value;
    }
  };
  const call = (value: unknown) => (isRecord(value) ? { ...value, url: resolved(value.url) } : resolved(value));
  const copy = { ...options };
  for (const name of ['refresh', 'logout']) if (copy[name] !== undefined) copy[name] = call(copy[name]);
  if (Array.isArray(copy.apis)) copy.apis = copy.apis.map(resolved);
  const text = textOf(copy, '');
  return { options: copy, text, name: `tokenkeep ${digest(text)}` };
}

/** As JSON, the members in the order of their names. */
function textOf(value: unknown, path: string): string {
  if (Array.isArray(value)) return `[${value.map((item, i) => textOf(item, `${path}[${i}]`)).join()}]`;
  if (isRecord(value)) {
    const members = Object.keys(value).filter((name) => value[name] !== undefined).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${textOf(value[name], path ? `${path}.${name}` : name)}`).join()}}`;
  }
  if (typeof value === 'object' ? value !== null : typeof value === 'function' || typeof value === 'symbol')
    throw new TokenError('invalid-option', `option \`${path}\` cannot cross to a worker; give it to \`serve\` of tokenkeep/worker, in a worker file of your own.`);
  return typeof value === 'bigint' ? `${value}n` : `${JSON.stringify(value)}`;
}

function isRecord(value: unknown): value is Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return !prototype || !Object.getPrototypeOf(prototype);
}

/** Short, for a name: whoever has the same one is asked for the text itself. */
function digest(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b) ^ (other >>> 13);
  }
  return [one, other].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
