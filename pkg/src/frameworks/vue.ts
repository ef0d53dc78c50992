// Vue: the state of the session as a ref, a component and a router guard for what needs a session. The manager is the app's own,
// made at module scope.

import { computed, getCurrentInstance, hasInjectionContext, inject, onMounted, onUnmounted, shallowRef, type App, type Ref, type SetupContext, type VNode } from 'vue';
import { checked, explained, ifDisposed, mistake } from './common.js';
import { firstView, watch, type View } from './watch.js';
import { UNKNOWN } from '../state.js';
import type { TokenError } from '../error.js';
import type { SignoutReason, TokenManager, TokenState } from '../types.js';

// Two copies of the package have the same key.
const KEY = /*#__PURE__*/ Symbol.for('tokenkeep.vue');

/** What {@link useAuth} returns. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>;
  /** Its state now. On a server, and until a server's page is mounted, `status` is `'unknown'`. */
  readonly state: Readonly<Ref<TokenState<Claims>>>;
}

/** The plugin: `app.use(createAuth(auth))`. It subscribes once for the app, and ends that when the app is unmounted. */
export function createAuth(auth: TokenManager<any>): { install(app: App): void } {
  checked(auth, 'createAuth');
  return {
    install(app) {
      if (typeof app.onUnmount !== 'function') throw mistake(`tokenkeep/vue: needs Vue 3.5 or newer; this is Vue ${app.version}.`);
      const isPage = typeof document === 'object';
      const state = shallowRef(isPage ? auth.state : UNKNOWN);
      app.provide(KEY, { auth, state } satisfies Auth<any>);
      // A server has many apps, and one manager, which never changes.
      if (!isPage) return;
      app.onUnmount(auth.subscribe(() => void (state.value = auth.state)));
      ifDisposed(auth, 'createAuth', (error) => {
        throw error;
      });
    },
  };
}

/** The manager and its state, in `setup`. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  if (!hasInjectionContext()) throw mistake('useAuth: call it in setup. Elsewhere, import the manager.');
  const provided = inject<Auth<any> | null>(KEY, null);
  if (!provided) throw mistake('tokenkeep/vue: there is no manager here. Call app.use(createAuth(auth)).');
  if (!isHydrating()) return provided;
  // As the server had it, until what it has rendered is taken over.
  const isMounted = shallowRef(false);
  onMounted(() => void (isMounted.value = true));
  return { auth: provided.auth, state: computed(() => (isMounted.value ? provided.state.value : UNKNOWN)) };
}

/** Whether the component whose `setup` this is takes over what a server has rendered: it has an element before it has rendered one. */
const isHydrating = () => typeof document === 'object' && !!getCurrentInstance()?.vnode.el;

/** What the slot `outage` is given. */
export interface OutageSlot {
  /** `retryable` where the same question may be answered later. */
  error: TokenError;
  /** Asks the server again. */
  retry: () => void;
}

/**
 * Shows its default slot to who is signed in. Waits until that is known, and asks the server if nobody has; until then it shows the
 * slot `fallback`. Emits `signedOut`, with the reason if there is one, where nobody is signed in or the session ends: the place to
 * navigate to the sign-in page. Where the server cannot be asked it shows the slot `outage`; without one the error is thrown, for
 * `errorCaptured` and `app.config.errorHandler`.
 */
export const RequireAuth = {
  name: 'RequireAuth',
  emits: ['signedOut'],
  setup(_props: object, { slots, emit }: SetupContext): () => VNode[] | undefined {
    const { auth } = useAuth();
    const isTakenOver = isHydrating() || typeof document !== 'object';
    const view = shallowRef<View>(isTakenOver ? 'waiting' : firstView(auth));
    let stop: (() => void) | undefined;
    onMounted(() => {
      view.value = firstView(auth);
      stop = watch(auth, 'RequireAuth', (next) => void (view.value = next), (reason) => emit('signedOut', reason));
    });
    onUnmounted(() => stop?.());
    return () => {
      const now = view.value;
      if (now === 'in') return slots['default']?.();
      if (typeof now !== 'object') return slots['fallback']?.();
      if (!slots['outage'] || now.error.code === 'invalid-argument') throw now.error;
      return slots['outage'](now);
    };
  },
  // No `defineComponent`, which does nothing but keep a bundler from leaving the component out.
} as unknown as new () => {
  $props: { onSignedOut?: (reason: SignoutReason | undefined) => void };
  $slots: { default?(): unknown; fallback?(): unknown; outage?(outage: OutageSlot): unknown };
};

/** What {@link authGuard} takes. `Route` is vue-router's `RouteLocationNormalized`. */
export interface GuardOptions<Route, Target> {
  /** Which routes need a session. Default: those whose `meta.requiresAuth` is true. */
  needs?: (to: Route) => boolean;
  /** Where who is not signed in is led to. */
  signIn: (to: Route) => Target;
  /** Where to go while the server cannot be asked. Default: the navigation fails with the error, for `router.onError`. */
  outage?: (to: Route, error: TokenError) => Target;
}

/**
 * For vue-router: `router.beforeEach(authGuard(auth, { signIn: () => '/sign-in' }))`. Waits until it is known whether somebody is
 * signed in, and asks the server if nobody has. On a server, where nobody can know, it lets all pass.
 */
export function authGuard<Route extends { fullPath: string; meta: object }, Target>(
  auth: TokenManager<any>,
  { needs = ({ meta }) => (meta as { requiresAuth?: unknown }).requiresAuth === true, signIn, outage }: GuardOptions<Route, Target>,
): (to: Route) => Promise<Target | true> {
  checked(auth, 'authGuard');
  return async (to) => {
    if (!needs(to) || typeof document !== 'object') return true;
    try {
      return (await auth.known()).status === 'signed-in' || signIn(to);
    } catch (cause) {
      const error = explained(cause, 'authGuard');
      if (!outage || error.code === 'invalid-argument') throw error;
      return outage(to, error);
    }
  };
}
