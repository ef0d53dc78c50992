// Whether a value is an object or a function. A separate file, for modules that must not use anything of the page.

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
