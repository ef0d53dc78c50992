// Whether a value has members. In a file of its own, for modules that must touch nothing of the page.

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
