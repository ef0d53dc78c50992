// Sends errors from the worker to the page: class, name and message, and no other members. The `cause` of a
// `TokenError` is an error or a response.

import { TokenError, isTokenError } from '../error.js'
import type { WireError, WireResponse } from './messages.js'

/** `answer` converts a `Response`. */
export function sendError(
  error: unknown,
  answer: (response: Response) => WireResponse | undefined,
  depth = 1,
): WireError {
  if (isTokenError(error)) {
    const { code, message, retryable, status, cause } = error
    const sent =
      cause instanceof Response
        ? answer(cause)
        : cause !== undefined && depth
          ? sendError(cause, answer, depth - 1)
          : undefined
    return { is: 'token', code, message, retryable, status, cause: sent }
  }
  if (error instanceof DOMException)
    return { is: 'platform', class: 'DOMException', name: error.name, message: error.message }
  if (error instanceof Error)
    return {
      is: 'platform',
      class: Object.getPrototypeOf(error)?.constructor?.name ?? 'Error',
      name: error.name,
      message: error.message,
    }
  // A rejected object is dropped, because it could contain anything, even a token.
  return {
    is: 'value',
    value: typeof error === 'object' || typeof error === 'function' || typeof error === 'symbol' ? undefined : error,
  }
}

// The classes of platform errors.
const CLASSES = /*#__PURE__*/ {
  __proto__: null,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
} as unknown as Record<string, ErrorConstructor>

/** `answer` converts a `WireResponse` to a `Response`. */
export function receiveError(error: WireError, answer: (response: WireResponse) => Response): unknown {
  if (error.is === 'value') return error.value
  const { message } = error
  if (error.is === 'token') {
    const { code, retryable, status, cause } = error
    return new TokenError(code, message, {
      retryable,
      status,
      cause: cause && ('is' in cause ? receiveError(cause, answer) : answer(cause)),
    })
  }
  if (error.class === 'DOMException') return new DOMException(message, error.name)
  const made = new (CLASSES[error.class] ?? Error)(message)
  if (made.name !== error.name)
    Object.defineProperty(made, 'name', {
      __proto__: null,
      value: error.name,
      configurable: true,
      writable: true,
    } as PropertyDescriptor)
  return made
}
