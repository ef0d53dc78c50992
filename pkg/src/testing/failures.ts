// The errors that a test asks for by their code.

import { TokenError, type TokenErrorCode, type TokenErrorDetails } from '../error.js';

const OUTAGES: readonly TokenErrorCode[] = ['network', 'timeout', 'bad-status', 'bad-answer'];

/** What a method fails with: the test's own error, or a new one for each call. */
export type Failure = () => Error;

export function failure(method: string, error: TokenErrorCode | Error, details: TokenErrorDetails = {}): Failure {
  if (typeof error !== 'string') return () => error;
  const status = { rejected: 401, 'bad-status': 503 }[error as string];
  return () => {
    const { cause } = details;
    return new TokenError(error, `${method}: ${error}, as the test says`, {
      retryable: OUTAGES.includes(error),
      status,
      ...details,
      // Whoever has the error reads its body.
      cause: reusable(cause),
    });
  };
}

/** A `Response` is read once; another look at it needs another copy. */
export function reusable<T>(answer: T): T {
  const { clone } = { ...(answer as object), clone: (answer as Response | undefined)?.clone };
  return typeof clone === 'function' ? (clone.call(answer) as T) : answer;
}
