// Errors on their way from the worker to the page: the class, the name and the message, and nothing that hangs on them. The `cause` of an
// error of ours is an error, or an answer.

import { TokenError, isTokenError } from '../error.js';
import type { WireError, WireResponse } from './messages.js';

/** `answer` says what an answer becomes. */
export function sendError(error: unknown, answer: (response: Response) => WireResponse | undefined, depth = 1): WireError {
  if (isTokenError(error)) {
    const { code, message, retryable, status, cause } = error;
    const sent = cause instanceof Response ? answer(cause) : cause !== undefined && depth ? sendError(cause, answer, depth - 1) : undefined;
    return { is: 'token', code, message, retryable, status, cause: sent };
  }
  if (error instanceof DOMException) return { is: 'platform', class: 'DOMException', name: error.name, message: error.message };
  if (error instanceof Error) return { is: 'platform', class: Object.getPrototypeOf(error)?.constructor?.name ?? 'Error', name: error.name, message: error.message };
  // Whoever rejects with an object says more with it than can be looked through.
  return { is: 'value', value: typeof error === 'object' || typeof error === 'function' || typeof error === 'symbol' ? undefined : error };
}

// The classes that the platform's own errors have.
const CLASSES = /*#__PURE__*/ { __proto__: null, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError } as unknown as Record<string, ErrorConstructor>;

/** `answer` makes a `Response` of what came in the place of one. */
export function receiveError(error: WireError, answer: (response: WireResponse) => Response): unknown {
  if (error.is === 'value') return error.value;
  const { message } = error;
  if (error.is === 'token') {
    const { code, retryable, status, cause } = error;
    return new TokenError(code, message, { retryable, status, cause: cause && ('is' in cause ? receiveError(cause, answer) : answer(cause)) });
  }
  if (error.class === 'DOMException') return new DOMException(message, error.name);
  const made = new (CLASSES[error.class] ?? Error)(message);
  if (made.name !== error.name) Object.defineProperty(made, 'name', { __proto__: null, value: error.name, configurable: true, writable: true } as PropertyDescriptor);
  return made;
}
