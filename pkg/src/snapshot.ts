// Copies plain data at the call, so that what the caller does to it later changes nothing.

/** A deep copy of plain objects and arrays; a `URL` becomes its text; anything else is left for the core to judge. Throws what a getter throws. */
export function snapshot(value: unknown, depth = 8): unknown {
  if (typeof value !== 'object' || value === null || !depth) return value;
  // Of whatever realm, and where there is no such class.
  if (Object.prototype.toString.call(value) === '[object URL]') return (value as URL).href;
  if (Array.isArray(value)) return value.map((item) => snapshot(item, depth - 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype && Object.getPrototypeOf(prototype)) return value;
  // Without a prototype: what somebody has put on Object.prototype is no option.
  const copy = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value)) copy[name] = snapshot((value as Record<string, unknown>)[name], depth - 1);
  return copy;
}
