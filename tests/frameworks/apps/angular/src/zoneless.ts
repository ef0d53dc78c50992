// The page's app, as its main.ts starts it.

import { ApplicationRef } from '@angular/core'
import { auth } from './app/auth'
import { probe } from './probe'

let found: (app: ApplicationRef) => void
probe(auth, new Promise((resolve) => (found = resolve)))
await import('./main')
// A development build has this function for its tools.
const wait = setInterval(() => {
  const root = document.querySelector('app-root')
  const injector = (globalThis as any).ng?.getInjector?.(root)
  if (!injector) return
  clearInterval(wait)
  found(injector.get(ApplicationRef))
}, 10)
