// The parts, for tests that assemble them.

import { createApp, h } from 'vue'
import { createTokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/vue'
import * as copy from './copy.js'

const told = (error) => ({ name: error.name, code: error.code, message: error.message })

/** Mounts a component with the given `setup` and `render`, and the plugin of `from`; returns `{ errors, unmount }`. */
function mount({ auth, from = binding, ...component }) {
  const errors = []
  const app = createApp(component)
  app.config.errorHandler = (error) => errors.push(told(error))
  addEventListener('unhandledrejection', (event) => (event.preventDefault(), errors.push(told(event.reason))))
  try {
    if (from) app.use(from.createAuth(auth))
    app.mount(document.body.appendChild(document.createElement('div')))
  } catch (error) {
    errors.push(told(error))
  }
  return { errors, unmount: () => app.unmount() }
}

Object.assign(globalThis, { h, createTokenManager, binding, copy, mount })
