// Sends Angular's HttpClient requests through the manager that `provideTokenkeep` provides.

import { HttpBackend, type HttpInterceptorFn } from '@angular/common/http'
import { inject, makeEnvironmentProviders, NgZone, type EnvironmentProviders } from '@angular/core'
import { target } from '../adapters/target.js'
import { attach } from './angular-attach.js'
import { exchange } from './angular-fetch.js'
import { injectProvided } from './angular-token.js'

/**
 * Makes HttpClient send through `auth.fetch`, with everything that the manager does: `providers: [provideHttpClient(),
 * provideTokenkeepBackend()]`, in this order. Interceptors work as usual. If `auth.fetch` rejects, its error is the `error` of an
 * `HttpErrorResponse` with status 0. There is download progress but no upload progress, as with Angular's own fetch backend; for upload
 * progress, see {@link tokenkeepInterceptor}.
 */
export function provideTokenkeepBackend(): EnvironmentProviders {
  const make = (): HttpBackend => {
    const { auth, isServer } = injectProvided()
    const zone = inject(NgZone)
    // On a server, requests are sent without a token.
    return { handle: (request) => exchange(request, isServer ? globalThis.fetch : auth.fetch, zone) }
  }
  return makeEnvironmentProviders([{ provide: HttpBackend, useFactory: make }])
}

/**
 * Puts the token on requests of HttpClient's own backend, for upload progress: `provideHttpClient(withXhr(),
 * withInterceptors([tokenkeepInterceptor]))`. A request to one of the `apis` of `provideTokenkeep` carries the token. If it is refused with
 * a 401, the token is refreshed, once for all waiting requests, and the request is sent once more. The manager needs `exposeToken: true`.
 * The manager's rules for answers do not apply: only a 401 counts as a refusal.
 */
export const tokenkeepInterceptor: HttpInterceptorFn = (request, next) => {
  const { auth, isServer, options } = injectProvided()
  return isServer ? next(request) : attach(auth, target('provideTokenkeep', options), request, next)
}
