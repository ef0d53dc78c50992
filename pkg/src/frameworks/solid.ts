// Solid: the session's state as a signal, and a guard component. The app creates the manager at module scope.

import * as solid from 'solid-js'
import { checked, ifDisposed, missing, mistake, provided } from './common.js'
import { firstView, watch, type View } from './watch.js'
import { UNKNOWN } from '../state.js'
import type { TokenError } from '../error.js'
import type { SignoutReason, TokenManager, TokenState } from '../types.js'

/** The result of {@link useAuth}. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>
  /** Its current state. On a server and until hydration is done, `status` is `'unknown'`. */
  readonly state: solid.Accessor<TokenState<Claims>>
}

const Context = /*#__PURE__*/ solid.createContext<Auth<any>>()

const isPage = () => typeof document === 'object'

/** Whether the component that is being created hydrates HTML from a server. */
const isHydrating = () => isPage() && !!solid.sharedConfig.context

/** Provides the manager to the components below. It subscribes once for all of them, until it is removed. */
export function AuthProvider(props: { auth: TokenManager<any>; children?: solid.JSX.Element }): solid.JSX.Element {
  if (typeof solid.catchError !== 'function' || typeof solid.onMount !== 'function')
    throw mistake('tokenkeep/solid: needs Solid 1.8 or a newer 1.x.')
  const auth = checked(props.auth, 'AuthProvider')
  provided('solid', Context)
  const [state, setState] = solid.createSignal<TokenState<any>>(isPage() ? auth.state : UNKNOWN)
  // A server has many pages but only one manager, whose state never changes.
  if (isPage()) {
    solid.onCleanup(auth.subscribe(() => setState(auth.state)))
    const [error, report] = solid.createSignal<TokenError>()
    ifDisposed(auth, 'AuthProvider', report)
    solid.createRenderEffect(() => {
      if (error()) throw error()
    })
  }
  return solid.createComponent(Context.Provider, {
    value: { auth, state },
    get children() {
      return props.children
    },
  })
}

/** Returns the manager and its state. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  const provided = solid.useContext(Context)
  if (!provided) throw missing('solid', Context, 'Put <AuthProvider auth={auth}> around the app.')
  if (!isHydrating()) return provided
  // Until hydration is done, show the same state as the server.
  const [isMounted, setMounted] = solid.createSignal(false)
  solid.onMount(() => setMounted(true))
  return { auth: provided.auth, state: () => (isMounted() ? provided.state() : UNKNOWN) }
}

/** An outage: the guard could not find out whether the user is signed in. */
export interface Outage {
  /** The error; `retryable` if the server can be asked again later. */
  readonly error: TokenError
  /** Asks the server again. */
  readonly retry: () => void
}

export interface RequireAuthProps {
  /** Shown to signed-in users. */
  children?: solid.JSX.Element
  /** Shown until it is known whether the user is signed in. */
  fallback?: solid.JSX.Element
  /** Shown if nobody is signed in, until `onSignedOut` has navigated away. Default: `fallback`. */
  signedOut?: solid.JSX.Element
  /** Shown if the server cannot be asked. Default: the error is thrown, for the next `ErrorBoundary`. */
  outage?: (outage: Outage) => solid.JSX.Element
  /** Called when nobody is signed in or the session has just ended (`reason`): navigate to the sign-in page here. */
  onSignedOut?: (reason: SignoutReason | undefined) => void
}

/** Shows its children to signed-in users. Waits until it is known whether the user is signed in, and asks the server if necessary. */
export function RequireAuth(props: RequireAuthProps): solid.JSX.Element {
  const { auth } = useAuth()
  const [view, show] = solid.createSignal<View>(isHydrating() || !isPage() ? 'waiting' : firstView(auth))
  solid.onMount(() => {
    show(firstView(auth))
    solid.onCleanup(watch(auth, 'RequireAuth', show, (reason) => props.onSignedOut?.(reason)))
  })
  // Like `Show`: the children are created once for each sign-in.
  return solid.createMemo(() => {
    const now = view()
    if (now === 'in') return props.children
    if (now === 'out') return props.signedOut ?? props.fallback
    if (now === 'waiting') return props.fallback
    if (!props.outage || now.error.code === 'invalid-argument') throw now.error
    return props.outage(now)
  }) as unknown as solid.JSX.Element
}
