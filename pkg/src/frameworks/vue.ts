// Vue: the session's state as a ref, a guard component and a router guard. The app creates the manager at module scope.

import {
  computed,
  getCurrentInstance,
  hasInjectionContext,
  inject,
  onMounted,
  onUnmounted,
  shallowRef,
  type App,
  type Ref,
  type SetupContext,
  type VNode,
} from 'vue'
import { checked, explained, ifDisposed, mistake } from './common.js'
import { firstView, watch, type View } from './watch.js'
import { UNKNOWN } from '../state.js'
import type { TokenError } from '../error.js'
import type { SignoutReason, TokenManager, TokenState } from '../types.js'

// All copies of the package share this key.
const KEY = /*#__PURE__*/ Symbol.for('tokenkeep.vue')

/** The result of {@link useAuth}. */
export interface Auth<Claims extends object = Record<string, unknown>> {
  /** The manager. */
  readonly auth: TokenManager<Claims>
  /** Its current state. On a server and until hydration is done, `status` is `'unknown'`. */
  readonly state: Readonly<Ref<TokenState<Claims>>>
}

/** The plugin: `app.use(createAuth(auth))`. It subscribes once for the app, and unsubscribes when the app is unmounted. */
export function createAuth(auth: TokenManager<any>): { install(app: App): void } {
  checked(auth, 'createAuth')
  return {
    install(app) {
      if (typeof app.onUnmount !== 'function')
        throw mistake(`tokenkeep/vue: needs Vue 3.5 or newer; this is Vue ${app.version}.`)
      const isPage = typeof document === 'object'
      const state = shallowRef(isPage ? auth.state : UNKNOWN)
      app.provide(KEY, { auth, state } satisfies Auth<any>)
      // A server has many apps but only one manager, whose state never changes.
      if (!isPage) return
      app.onUnmount(auth.subscribe(() => void (state.value = auth.state)))
      ifDisposed(auth, 'createAuth', (error) => {
        throw error
      })
    },
  }
}

/** Returns the manager and its state. Call it in `setup`. */
export function useAuth<Claims extends object = Record<string, unknown>>(): Auth<Claims> {
  if (!hasInjectionContext()) throw mistake('useAuth: call it in setup. Elsewhere, import the manager.')
  const provided = inject<Auth<any> | null>(KEY, null)
  if (!provided) throw mistake('tokenkeep/vue: there is no manager here. Call app.use(createAuth(auth)).')
  if (!isHydrating()) return provided
  // Until hydration is done, show the same state as the server.
  const isMounted = shallowRef(false)
  onMounted(() => void (isMounted.value = true))
  return { auth: provided.auth, state: computed(() => (isMounted.value ? provided.state.value : UNKNOWN)) }
}

/** Whether the component in `setup` hydrates HTML from a server: then it has an element before its first render. */
const isHydrating = () => typeof document === 'object' && !!getCurrentInstance()?.vnode.el

/** The props of the slot `outage`. */
export interface OutageSlot {
  /** The error; `retryable` if the server can be asked again later. */
  error: TokenError
  /** Asks the server again. */
  retry: () => void
}

/**
 * Shows its default slot to signed-in users. Until it is known whether the user is signed in, it shows the slot `fallback`, and
 * asks the server if necessary. Emits `signedOut`, with the reason if there is one, when nobody is signed in or the session ends:
 * navigate to the sign-in page there. If the server cannot be asked, it shows the slot `outage`; without that slot the error is
 * thrown, for `errorCaptured` and `app.config.errorHandler`.
 */
export const RequireAuth = {
  name: 'RequireAuth',
  emits: ['signedOut'],
  setup(_props: object, { slots, emit }: SetupContext): () => VNode[] | undefined {
    const { auth } = useAuth()
    const isTakenOver = isHydrating() || typeof document !== 'object'
    const view = shallowRef<View>(isTakenOver ? 'waiting' : firstView(auth))
    let stop: (() => void) | undefined
    onMounted(() => {
      view.value = firstView(auth)
      stop = watch(
        auth,
        'RequireAuth',
        (next) => void (view.value = next),
        (reason) => emit('signedOut', reason),
      )
    })
    onUnmounted(() => stop?.())
    return () => {
      const now = view.value
      if (now === 'in') return slots['default']?.()
      if (typeof now !== 'object') return slots['fallback']?.()
      if (!slots['outage'] || now.error.code === 'invalid-argument') throw now.error
      return slots['outage'](now)
    }
  },
  // Not `defineComponent`: it would only keep bundlers from removing an unused component.
} as unknown as new () => {
  $props: { onSignedOut?: (reason: SignoutReason | undefined) => void }
  $slots: { default?(): unknown; fallback?(): unknown; outage?(outage: OutageSlot): unknown }
}

/** The options of {@link authGuard}. `Route` is vue-router's `RouteLocationNormalized`. */
export interface GuardOptions<Route, Target> {
  /** Which routes need a session. Default: those whose `meta.requiresAuth` is true. */
  needs?: (to: Route) => boolean
  /** Where to send users who are not signed in. */
  signIn: (to: Route) => Target
  /** Where to go if the server cannot be asked. Default: the navigation fails with the error, for `router.onError`. */
  outage?: (to: Route, error: TokenError) => Target
}

/**
 * A guard for vue-router: `router.beforeEach(authGuard(auth, { signIn: () => '/sign-in' }))`. Waits until it is known whether the
 * user is signed in, and asks the server if necessary. On a server, where that cannot be known, it lets every navigation pass.
 */
export function authGuard<Route extends { fullPath: string; meta: object }, Target>(
  auth: TokenManager<any>,
  {
    needs = ({ meta }) => (meta as { requiresAuth?: unknown }).requiresAuth === true,
    signIn,
    outage,
  }: GuardOptions<Route, Target>,
): (to: Route) => Promise<Target | true> {
  checked(auth, 'authGuard')
  return async (to) => {
    if (!needs(to) || typeof document !== 'object') return true
    try {
      return (await auth.known()).status === 'signed-in' || signIn(to)
    } catch (cause) {
      const error = explained(cause, 'authGuard')
      if (!outage || error.code === 'invalid-argument') throw error
      return outage(to, error)
    }
  }
}
