// The injection token that both Angular entries, and all copies of the package, share.

import { inject, InjectionToken, type Signal } from '@angular/core'
import { mistake } from './common.js'
import type { TokenManager, TokenManagerOptions, TokenState } from '../types.js'

export interface Provided {
  readonly auth: TokenManager<any>
  readonly state: Signal<TokenState<any>>
  readonly isServer: boolean
  /** For the interceptor. */
  readonly options: Pick<TokenManagerOptions, 'apis' | 'attach'>
}

const KEY = /*#__PURE__*/ Symbol.for('tokenkeep.angular')
const shared = globalThis as unknown as Record<symbol, InjectionToken<Provided> | undefined>

export const token = () => (shared[KEY] ??= new InjectionToken<Provided>('tokenkeep'))

export function injectProvided(): Provided {
  const provided = inject(token(), { optional: true })
  if (!provided)
    throw mistake(
      'tokenkeep/angular: there is no manager here. Add provideTokenkeep(auth) to the providers of the app.',
    )
  return provided
}
