// Angular: the session's state as a signal, and a route guard. Only functions and injection tokens, because Angular's compiler does
// not process this file. The app creates the manager at module scope.

import {
  DestroyRef,
  ErrorHandler,
  inject,
  Injector,
  makeEnvironmentProviders,
  PLATFORM_ID,
  provideEnvironmentInitializer,
  runInInjectionContext,
  signal,
  VERSION,
  type EnvironmentProviders,
  type Signal,
} from '@angular/core'
import { injectProvided, token, type Provided } from './angular-token.js'
import { checked, explained, ifDisposed, mistake } from './common.js'
import { UNKNOWN } from '../state.js'
import type { TokenError } from '../error.js'
import type { SignoutReason, TokenManager, TokenManagerOptions, TokenState } from '../types.js'

/** The options of {@link provideTokenkeep}. */
export interface TokenkeepOptions extends Pick<TokenManagerOptions, 'apis' | 'attach'> {
  /** Called when the session has ended: navigate to the sign-in page here. It may use `inject`. */
  onSignedOut?: (reason: SignoutReason) => void
}

/**
 * Provides the manager: `bootstrapApplication(App, { providers: [provideTokenkeep(auth)] })`. `apis` and `attach`, the same as the
 * manager's, are only used by `tokenkeepInterceptor`.
 */
export function provideTokenkeep(
  auth: TokenManager<any>,
  { onSignedOut, ...options }: TokenkeepOptions = {},
): EnvironmentProviders {
  if (!(Number(VERSION.major) >= 20))
    throw mistake(`tokenkeep/angular: needs Angular 20 or newer; this is Angular ${VERSION.full}.`)
  checked(auth, 'provideTokenkeep')
  const make = (): Provided => {
    // PLATFORM_ID has this value where Angular renders on a server.
    const isServer = (inject(PLATFORM_ID) as unknown) === 'server'
    const state = signal<TokenState<any>>(isServer ? UNKNOWN : auth.state)
    const provided = { auth, state: state.asReadonly(), isServer, options }
    // A server has many apps but only one manager, whose state never changes.
    if (isServer) return provided
    const [injector, errors, ends] = [inject(Injector), inject(ErrorHandler), inject(DestroyRef)]
    const leave = ({ reason }: { reason: SignoutReason }) =>
      runInInjectionContext(injector, () => onSignedOut?.(reason))
    auth.addEventListener('signout', leave)
    ends.onDestroy(() => auth.removeEventListener('signout', leave))
    ends.onDestroy(auth.subscribe(() => state.set(auth.state)))
    ifDisposed(auth, 'provideTokenkeep', (error) => errors.handleError(error))
    return provided
  }
  return makeEnvironmentProviders([
    { provide: token(), useFactory: make },
    provideEnvironmentInitializer(() => void inject(token())),
  ])
}

/** The result of {@link injectAuth}. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>
  /** Its current state. On a server, `status` is `'unknown'`. */
  readonly state: Signal<TokenState<Claims>>
}

/** Returns the manager and its state as a signal. Call it where `inject` works. */
export function injectAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  const { auth, state } = injectProvided()
  return { auth, state }
}

/** The options of {@link authGuard}. The functions may use `inject`. `Target` is Angular's `UrlTree` or `RedirectCommand`. */
export interface GuardOptions<Target> {
  /** Where to send users who are not signed in. `url`: where they were going. */
  signIn: (url: string) => Target
  /** Where to go if the server cannot be asked. Default: the navigation fails with the error. */
  outage?: (url: string, error: TokenError) => Target
}

/**
 * A route guard: `canActivate: [authGuard({ signIn: () => inject(Router).parseUrl('/sign-in') })]`. Waits until it is known
 * whether the user is signed in, and asks the server if necessary. On a server, where that cannot be known, it lets every
 * navigation pass.
 */
export function authGuard<Target>({
  signIn,
  outage,
}: GuardOptions<Target>): (route: unknown, state: { url: string }) => Promise<Target | true> {
  return async (_route, { url }) => {
    const { auth, isServer } = injectProvided()
    const injector = inject(Injector)
    if (isServer) return true
    try {
      if ((await auth.known()).status === 'signed-in') return true
    } catch (cause) {
      const error = explained(cause, 'authGuard')
      if (!outage || error.code === 'invalid-argument') throw error
      return runInInjectionContext(injector, () => outage(url, error))
    }
    return runInInjectionContext(injector, () => signIn(url))
  }
}
