'use client';

// React: the state of the session as React has it, and a guard for what needs a session. The manager is the app's own, made
// at module scope: components come and go, StrictMode mounts them twice, and there is still one session.

import * as React from 'react';
import { checked, ifDisposed, missing, mistake, provided } from './common.js';
import { firstView, watch, type View } from './watch.js';
import { UNKNOWN } from '../state.js';
import type { TokenError } from '../error.js';
import type { SignoutReason, TokenManager, TokenState } from '../types.js';

const Context = /*#__PURE__*/ React.createContext<TokenManager<any> | null>(null);

export interface AuthProviderProps {
  /** The manager. */
  auth: TokenManager<any>;
  children?: React.ReactNode;
}

/** Hands the manager to the components below it. Nothing is subscribed to, and nothing is disposed of. */
export function AuthProvider({ auth, children }: AuthProviderProps): React.ReactElement {
  if (typeof React.useSyncExternalStore !== 'function') throw mistake(`tokenkeep/react: needs React 18 or newer; this is React ${React.version}.`);
  checked(auth, 'AuthProvider');
  provided('react', Context);
  const [error, report] = React.useState<TokenError>();
  React.useEffect(() => ifDisposed(auth, 'AuthProvider', report), [auth]);
  if (error) throw error;
  return React.createElement(Context.Provider, { value: auth }, children);
}

function useManager<Claims extends object>(): TokenManager<Claims> {
  const auth = React.useContext(Context);
  if (!auth) throw missing('react', Context, 'Put <AuthProvider auth={auth}> around the app.');
  return auth;
}

/** What {@link useAuth} returns. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>;
  /** Its state now. On a server, and in the first render of a server's page, `status` is `'unknown'`. */
  readonly state: TokenState<Claims>;
}

/** The manager and its state. The component renders again when the state changes. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  const auth = useManager<Claims>();
  return { auth, state: useAuthState<Claims>() };
}

/** The state of the session. */
export function useAuthState<Claims extends object = Record<string, unknown>>(): TokenState<Claims>;
/** What `selector` makes of the state. The component renders again only when that changes. */
export function useAuthState<Selection, Claims extends object = Record<string, unknown>>(selector: (state: TokenState<Claims>) => Selection): Selection;
export function useAuthState(selector: (state: TokenState<any>) => unknown = itself): unknown {
  const auth = useManager();
  // React wants the same answer as long as the state is the same, also where a selector makes a new object each time.
  const [get, getOnServer] = React.useMemo(() => {
    let last: TokenState<any> | undefined;
    let selection: unknown;
    const select = (state: TokenState<any>) => {
      if (state !== last) [last, selection] = [state, selector(state)];
      return selection;
    };
    return [() => select(auth.state), () => select(UNKNOWN)];
  }, [auth, selector]);
  return React.useSyncExternalStore(auth.subscribe, get, getOnServer);
}

const itself = (state: unknown) => state;

/** What keeps a guard from knowing whether somebody is signed in. */
export interface Outage {
  /** `retryable` where the same question may be answered later. */
  readonly error: TokenError;
  /** Asks the server again. */
  readonly retry: () => void;
}

export interface RequireAuthProps {
  /** What is shown to who is signed in. */
  children?: React.ReactNode;
  /** What is shown until it is known whether somebody is signed in. */
  fallback?: React.ReactNode;
  /** What is shown where nobody is signed in, until `onSignedOut` has led away. Default: `fallback`. */
  signedOut?: React.ReactNode;
  /** What is shown where the server cannot be asked. Default: the error is thrown, for the next error boundary. */
  outage?: (outage: Outage) => React.ReactNode;
  /** Nobody is signed in, or the session has just ended (`reason`): the place to navigate to the sign-in page. */
  onSignedOut?: (reason: SignoutReason | undefined) => void;
}

/** Shows its children to who is signed in. Waits until that is known, and asks the server if nobody has. */
export function RequireAuth({ children, fallback = null, signedOut = fallback, outage, onSignedOut }: RequireAuthProps): React.ReactNode {
  const auth = useManager();
  const leave = React.useRef(onSignedOut);
  React.useEffect(() => void (leave.current = onSignedOut));
  const [subscribe, get] = React.useMemo(() => {
    let view = firstView(auth);
    const subscribe = (update: () => void) => {
      view = firstView(auth);
      const show = (next: View) => {
        view = next;
        update();
      };
      return watch(auth, 'RequireAuth', show, (reason) => leave.current?.(reason));
    };
    // Nobody watches while React keeps the component hidden.
    return [subscribe, () => (view === 'in' ? firstView(auth) : view)];
  }, [auth]);
  const view = React.useSyncExternalStore(subscribe, get, waiting);

  if (view === 'in') return children;
  if (view === 'out') return signedOut;
  if (view === 'waiting') return fallback;
  if (!outage || view.error.code === 'invalid-argument') throw view.error;
  return outage(view);
}

const waiting = (): View => 'waiting';
