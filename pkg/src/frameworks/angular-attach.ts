// The token on a request of Angular's HttpClient that goes by a backend of Angular's own, and the second sending of one that is refused.

import { HttpErrorResponse, type HttpEvent, type HttpRequest } from '@angular/common/http';
import { catchError, from, type Observable, switchMap, throwError } from 'rxjs';
import { INCURABLE, type Target } from '../adapters/target.js';
import { isTokenError } from '../error.js';
import type { TokenManager } from '../types.js';

type Next = (request: HttpRequest<unknown>) => Observable<HttpEvent<unknown>>;

/** `ended` counts the sessions that have ended. */
export function attach(auth: TokenManager<any>, { covered, header, value }: Target, ended: () => number, request: HttpRequest<unknown>, next: Next): Observable<HttpEvent<unknown>> {
  const url = covered(request.urlWithParams);
  if (url === undefined || request.headers.has(header)) return next(request);
  const failed = (error: unknown) => throwError(() => new HttpErrorResponse({ error, status: 0, url }));
  const user = () => auth.state.claims?.sub ?? auth.state.claims?.user_id;
  const sendWith = (token: string) => next(request.clone({ headers: request.headers.set(header, value(token)) }));

  return from(auth.getAccessToken().catch(unlessNobody)).pipe(
    catchError(failed),
    switchMap((token) => {
      // As with `fetch`: who is not signed in may ask, too.
      if (token === undefined) return next(request);
      const session = [ended(), user()];
      return sendWith(token).pipe(
        catchError((refusal: unknown) => {
          if (!(refusal instanceof HttpErrorResponse) || refusal.status !== 401 || INCURABLE.test(refusal.headers.get('WWW-Authenticate') ?? '')) return throwError(() => refusal);
          return from(auth.getAccessToken({ refused: token, by: url }).catch(unlessOutage)).pipe(
            catchError(failed),
            // What was refused in one session is not sent again in another one, which may be another user's.
            switchMap((newer) => (newer === undefined || session[0] !== ended() || session[1] !== user() ? throwError(() => refusal) : sendWith(newer))),
          );
        }),
      );
    }),
  );
}

/** No token, where nobody is signed in. */
function unlessNobody(error: unknown): undefined {
  if (isTokenError(error) && ['signed-out', 'rejected'].includes(error.code)) return;
  throw error;
}

/** No newer token, where that is no outage: the session is over, or is another one, or the API says 401 where it means 403. */
function unlessOutage(error: unknown): undefined {
  if (isTokenError(error) && !error.retryable) return;
  throw error;
}
