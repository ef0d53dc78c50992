// What the bindings have in common. Each entry holds its own copy of it, so that an app loads one file.

import { isTokenError, TokenError } from '../error.js';
import type { TokenManager } from '../types.js';

/** The app has made a mistake. It has to be told at once, and in words that name the way out. */
export function mistake(message: string): TokenError {
  return new TokenError('invalid-argument', message);
}

/** Refuses what is no manager. `where`: who was given it. */
export function checked<Manager extends TokenManager<any>>(auth: Manager, where: string): Manager {
  if (typeof auth?.subscribe === 'function' && typeof auth.known === 'function') return auth;
  const got = auth === undefined || auth === null ? String(auth) : 'another object, or a manager of an older tokenkeep';
  throw mistake(`${where}: takes the manager that createTokenManager returns, and got ${got}.`);
}

/** The error as an app is shown it: a disposed manager is a mistake of the app's, and no outage. */
export function explained(error: unknown, where: string): TokenError {
  if (isTokenError(error) && error.code !== 'disposed') return error;
  return mistake(`${where}: the manager was disposed. Make it once, at module scope, and let it live as long as the page.`);
}

/** Tells `report` of a manager that was disposed before it was handed over. Never asks the server. */
export function ifDisposed(auth: TokenManager<any>, where: string, report: (error: TokenError) => void): void {
  if (auth.state.status === 'unknown') return;
  auth.known().catch((error: unknown) => {
    if (isTokenError(error) && error.code === 'disposed') report(explained(error, where));
  });
}

// The place where the first copy of a binding leaves its mark, so that another copy can tell why it finds no provider.
const mark = (binding: string) => Symbol.for(`tokenkeep.${binding}`);
const marks = globalThis as unknown as Record<symbol, unknown>;

/** A provider of this copy, known by `own`, is in use. */
export function provided(binding: string, own: unknown): void {
  marks[mark(binding)] ??= own;
}

/** Why there is no provider: it is missing, or another copy's. */
export function missing(binding: string, own: unknown, remedy: string): TokenError {
  const other = marks[mark(binding)];
  return mistake(
    other && other !== own
      ? `tokenkeep/${binding}: the page has two copies of the package, and the provider is the other copy's. Let the bundler find one of them (resolve.dedupe: ['tokenkeep']).`
      : `tokenkeep/${binding}: there is no manager here. ${remedy}`,
  );
}
