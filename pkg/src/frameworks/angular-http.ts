// Angular's HttpClient by way of the manager that `provideTokenkeep` provides.

import { HttpBackend, type HttpInterceptorFn } from '@angular/common/http';
import { inject, makeEnvironmentProviders, NgZone, type EnvironmentProviders } from '@angular/core';
import { target } from '../adapters/target.js';
import { attach } from './angular-attach.js';
import { exchange } from './angular-fetch.js';
import { injectProvided } from './angular-token.js';

/**
 * HttpClient by way of `auth.fetch`, with all that the manager does: `providers: [provideHttpClient(), provideTokenkeepBackend()]`, in this
 * order. Interceptors work as ever. What `auth.fetch` rejects with is the `error` of an `HttpErrorResponse` with the status 0. There is
 * download progress, and no upload progress, as with Angular's own fetch backend: see {@link tokenkeepInterceptor}.
 */
export function provideTokenkeepBackend(): EnvironmentProviders {
  const make = (): HttpBackend => {
    const { auth, isServer } = injectProvided();
    const zone = inject(NgZone);
    // A server sends what needs no token.
    return { handle: (request) => exchange(request, isServer ? globalThis.fetch : auth.fetch, zone) };
  };
  return makeEnvironmentProviders([{ provide: HttpBackend, useFactory: make }]);
}

/**
 * HttpClient by way of its own backend, for upload progress: `provideHttpClient(withXhr(), withInterceptors([tokenkeepInterceptor]))`. A
 * request to one of the `apis` of `provideTokenkeep` carries the token; where it is refused with a 401, the token is refreshed, once for
 * all, and the request is sent once more. The manager needs `exposeToken: true`. Of the manager's rules for answers it knows the 401 alone.
 */
export const tokenkeepInterceptor: HttpInterceptorFn = (request, next) => {
  const { auth, isServer, options } = injectProvided();
  return isServer ? next(request) : attach(auth, target('provideTokenkeep', options), request, next);
};
