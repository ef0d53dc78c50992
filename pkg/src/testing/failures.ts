// Makes the errors that a test requests by their code.

import { TokenError, type TokenErrorCode, type TokenErrorDetails } from '../error.js'

const OUTAGES: readonly TokenErrorCode[] = ['network', 'timeout', 'bad-status', 'bad-answer']

/** Returns a method's error: the test's own error, or a new one for each call. */
export type Failure = () => Error

export function failure(method: string, error: TokenErrorCode | Error, details: TokenErrorDetails = {}): Failure {
  if (typeof error !== 'string') return () => error
  const status = { rejected: 401, 'bad-status': 503 }[error as string]
  return () => {
    const { cause } = details
    return new TokenError(error, `${method}: ${error}, set by the test`, {
      retryable: OUTAGES.includes(error),
      status,
      ...details,
      // A copy, because the receiver of the error may read its body.
      cause: reusable(cause),
    })
  }
}

/** Copies a `Response`, because its body can only be read once. */
export function reusable<T>(answer: T): T {
  const { clone } = { ...(answer as object), clone: (answer as Response | undefined)?.clone }
  return typeof clone === 'function' ? (clone.call(answer) as T) : answer
}
