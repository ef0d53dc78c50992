// Solid: the state of the session as a signal, and a guard for what needs a session. The manager is the app's own, made at module
// scope.

import * as solid from 'solid-js';
import { checked, ifDisposed, missing, mistake, provided } from './common.js';
import { firstView, watch, type View } from './watch.js';
import { UNKNOWN } from '../state.js';
import type { TokenError } from '../error.js';
import type { SignoutReason, TokenManager, TokenState } from '../types.js';

/** What {@link useAuth} returns. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>;
  /** Its state now. On a server, and until a server's page is mounted, `status` is `'unknown'`. */
  readonly state: solid.Accessor<TokenState<Claims>>;
}

const Context = /*#__PURE__*/ solid.createContext<Auth<any>>();

const isPage = () => typeof document === 'object';

/** Whether the component that is made now takes over what a server has rendered. */
const isHydrating = () => isPage() && !!solid.sharedConfig.context;

/** Hands the manager to the components below it. It subscribes once for all of them, until it is gone. */
export function AuthProvider(props: { auth: TokenManager<any>; children?: solid.JSX.Element }): solid.JSX.Element {
  if (typeof solid.catchError !== 'function' || typeof solid.onMount !== 'function') throw mistake('tokenkeep/solid: needs Solid 1, from 1.8 on.');
  const auth = checked(props.auth, 'AuthProvider');
  provided('solid', Context);
  const [state, setState] = solid.createSignal<TokenState<any>>(isPage() ? auth.state : UNKNOWN);
  // A server has many pages, and one manager, which never changes.
  if (isPage()) {
    solid.onCleanup(auth.subscribe(() => setState(auth.state)));
    const [error, report] = solid.createSignal<TokenError>();
    ifDisposed(auth, 'AuthProvider', report);
    solid.createRenderEffect(() => {
      if (error()) throw error();
    });
  }
  return solid.createComponent(Context.Provider, {
    value: { auth, state },
    get children() {
      return props.children;
    },
  });
}

/** The manager and its state. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  const provided = solid.useContext(Context);
  if (!provided) throw missing('solid', Context, 'Put <AuthProvider auth={auth}> around the app.');
  if (!isHydrating()) return provided;
  // As the server had it, until what it has rendered is taken over.
  const [isMounted, setMounted] = solid.createSignal(false);
  solid.onMount(() => setMounted(true));
  return { auth: provided.auth, state: () => (isMounted() ? provided.state() : UNKNOWN) };
}

/** What keeps a guard from knowing whether somebody is signed in. */
export interface Outage {
  /** `retryable` where the same question may be answered later. */
  readonly error: TokenError;
  /** Asks the server again. */
  readonly retry: () => void;
}

export interface RequireAuthProps {
  /** What is shown to who is signed in. */
  children?: solid.JSX.Element;
  /** What is shown until it is known whether somebody is signed in. */
  fallback?: solid.JSX.Element;
  /** What is shown where nobody is signed in, until `onSignedOut` has led away. Default: `fallback`. */
  signedOut?: solid.JSX.Element;
  /** What is shown where the server cannot be asked. Default: the error is thrown, for the next `ErrorBoundary`. */
  outage?: (outage: Outage) => solid.JSX.Element;
  /** Nobody is signed in, or the session has just ended (`reason`): the place to navigate to the sign-in page. */
  onSignedOut?: (reason: SignoutReason | undefined) => void;
}

/** Shows its children to who is signed in. Waits until that is known, and asks the server if nobody has. */
export function RequireAuth(props: RequireAuthProps): solid.JSX.Element {
  const { auth } = useAuth();
  const [view, show] = solid.createSignal<View>(isHydrating() || !isPage() ? 'waiting' : firstView(auth));
  solid.onMount(() => {
    show(firstView(auth));
    solid.onCleanup(watch(auth, 'RequireAuth', show, (reason) => props.onSignedOut?.(reason)));
  });
  // As `Show` does it: the children are made once for each time that somebody is signed in.
  return solid.createMemo(() => {
    const now = view();
    if (now === 'in') return props.children;
    if (now === 'out') return props.signedOut ?? props.fallback;
    if (now === 'waiting') return props.fallback;
    if (!props.outage || now.error.code === 'invalid-argument') throw now.error;
    return props.outage(now);
  }) as unknown as solid.JSX.Element;
}
