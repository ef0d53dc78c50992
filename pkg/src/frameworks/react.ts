'use client'

// React: hooks for the session's state, and a guard component. The app creates the manager at module scope, because
// components come and go and StrictMode mounts them twice, but there is only one session.

import * as React from 'react'
import { checked, ifDisposed, missing, mistake, provided } from './common.js'
import { firstView, watch, type View } from './watch.js'
import { UNKNOWN } from '../state.js'
import type { TokenError } from '../error.js'
import type { SignoutReason, TokenManager, TokenState } from '../types.js'

const Context = /*#__PURE__*/ React.createContext<TokenManager<any> | null>(null)

export interface AuthProviderProps {
  /** The manager. */
  auth: TokenManager<any>
  children?: React.ReactNode
}

/** Provides the manager to the components below. It does not subscribe to the manager or dispose it. */
export function AuthProvider({ auth, children }: AuthProviderProps): React.ReactElement {
  if (typeof React.useSyncExternalStore !== 'function')
    throw mistake(`tokenkeep/react: needs React 18 or newer; this is React ${React.version}.`)
  checked(auth, 'AuthProvider')
  provided('react', Context)
  const [error, report] = React.useState<TokenError>()
  React.useEffect(() => ifDisposed(auth, 'AuthProvider', report), [auth])
  if (error) throw error
  return React.createElement(Context.Provider, { value: auth }, children)
}

function useManager<Claims extends object>(): TokenManager<Claims> {
  const auth = React.useContext(Context)
  if (!auth) throw missing('react', Context, 'Put <AuthProvider auth={auth}> around the app.')
  return auth
}

/** The result of {@link useAuth}. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>
  /** Its current state. On a server and during hydration, `status` is `'unknown'`. */
  readonly state: TokenState<Claims>
}

/** Returns the manager and its state. The component renders again when the state changes. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  const auth = useManager<Claims>()
  return { auth, state: useAuthState<Claims>() }
}

/** Returns the session's state. */
export function useAuthState<Claims extends object = Record<string, unknown>>(): TokenState<Claims>
/** Returns the result of `selector` for the state. The component renders again only when that result changes. */
export function useAuthState<Selection, Claims extends object = Record<string, unknown>>(
  selector: (state: TokenState<Claims>) => Selection,
): Selection
export function useAuthState(selector: (state: TokenState<any>) => unknown = itself): unknown {
  const auth = useManager()
  // React needs the same result for the same state, even if the selector makes a new object each time.
  const [get, getOnServer] = React.useMemo(() => {
    let last: TokenState<any> | undefined
    let selection: unknown
    const select = (state: TokenState<any>) => {
      if (state !== last) [last, selection] = [state, selector(state)]
      return selection
    }
    return [() => select(auth.state), () => select(UNKNOWN)]
  }, [auth, selector])
  return React.useSyncExternalStore(auth.subscribe, get, getOnServer)
}

const itself = (state: unknown) => state

/** An outage: the guard could not find out whether the user is signed in. */
export interface Outage {
  /** The error; `retryable` if the server can be asked again later. */
  readonly error: TokenError
  /** Asks the server again. */
  readonly retry: () => void
}

export interface RequireAuthProps {
  /** Shown to signed-in users. */
  children?: React.ReactNode
  /** Shown until it is known whether the user is signed in. */
  fallback?: React.ReactNode
  /** Shown if nobody is signed in, until `onSignedOut` has navigated away. Default: `fallback`. */
  signedOut?: React.ReactNode
  /** Shown if the server cannot be asked. Default: the error is thrown, for the next error boundary. */
  outage?: (outage: Outage) => React.ReactNode
  /** Called when nobody is signed in or the session has just ended (`reason`): navigate to the sign-in page here. */
  onSignedOut?: (reason: SignoutReason | undefined) => void
}

/** Shows its children to signed-in users. Waits until it is known whether the user is signed in, and asks the server if necessary. */
export function RequireAuth({
  children,
  fallback = null,
  signedOut = fallback,
  outage,
  onSignedOut,
}: RequireAuthProps): React.ReactNode {
  const auth = useManager()
  const leave = React.useRef(onSignedOut)
  React.useEffect(() => void (leave.current = onSignedOut))
  const [subscribe, get] = React.useMemo(() => {
    let view = firstView(auth)
    const subscribe = (update: () => void) => {
      view = firstView(auth)
      const show = (next: View) => {
        view = next
        update()
      }
      return watch(auth, 'RequireAuth', show, (reason) => leave.current?.(reason))
    }
    // The view is not updated while React keeps the component hidden.
    return [subscribe, () => (view === 'in' ? firstView(auth) : view)]
  }, [auth])
  const view = React.useSyncExternalStore(subscribe, get, waiting)

  if (view === 'in') return children
  if (view === 'out') return signedOut
  if (view === 'waiting') return fallback
  if (!outage || view.error.code === 'invalid-argument') throw view.error
  return outage(view)
}

const waiting = (): View => 'waiting'
