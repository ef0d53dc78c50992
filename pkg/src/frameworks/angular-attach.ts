// Puts the token on HttpClient requests that Angular's own backend sends, and sends a refused one again.

import { HttpErrorResponse, type HttpEvent, type HttpRequest } from '@angular/common/http'
import { catchError, from, type Observable, switchMap, throwError } from 'rxjs'
import { firstToken, INCURABLE, newerToken } from '../adapters/token.js'
import type { Target } from '../adapters/target.js'
import type { TokenManager } from '../types.js'

type Next = (request: HttpRequest<unknown>) => Observable<HttpEvent<unknown>>

export function attach(
  auth: TokenManager<any>,
  { covered, header, value }: Target,
  request: HttpRequest<unknown>,
  next: Next,
): Observable<HttpEvent<unknown>> {
  const url = covered(request.urlWithParams)
  if (url === undefined || request.headers.has(header)) return next(request)
  const failed = (error: unknown) => throwError(() => new HttpErrorResponse({ error, status: 0, url }))
  const sendWith = (token: string) => next(request.clone({ headers: request.headers.set(header, value(token)) }))

  return from(firstToken(auth)).pipe(
    catchError(failed),
    switchMap((token) => {
      if (token === undefined) return next(request)
      return sendWith(token).pipe(
        catchError((refusal: unknown) => {
          if (
            !(refusal instanceof HttpErrorResponse) ||
            refusal.status !== 401 ||
            INCURABLE.test(refusal.headers.get('WWW-Authenticate') ?? '')
          )
            return throwError(() => refusal)
          return from(newerToken(auth, token, url)).pipe(
            catchError(failed),
            switchMap((newer) => (newer === undefined ? throwError(() => refusal) : sendWith(newer))),
          )
        }),
      )
    }),
  )
}
