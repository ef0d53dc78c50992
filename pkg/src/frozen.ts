// States and events belong to nobody who hears of them.

/** Frozen as deep as it goes. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
