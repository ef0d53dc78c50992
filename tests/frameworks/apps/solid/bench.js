// The parts, for tests that assemble them.

import { createComponent, ErrorBoundary } from 'solid-js'
import { render } from 'solid-js/web'
import { createTokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/solid'
import * as copy from './copy.js'

/** Mounts the result of `make` in an error boundary; returns `{ errors, unmount }`. */
function mount(make) {
  const errors = []
  const fallback = ({ name, code, message }) => (errors.push({ name, code, message }), 'failed')
  const children = {
    get children() {
      return make()
    },
  }
  const whole = () =>
    createComponent(ErrorBoundary, Object.defineProperties({ fallback }, Object.getOwnPropertyDescriptors(children)))
  return { errors, unmount: render(whole, document.body.appendChild(document.createElement('div'))) }
}

/** A component without JSX: its children are created on access. */
const h = (component, props = {}, children) =>
  createComponent(component, Object.defineProperty({ ...props }, 'children', { get: children, enumerable: true }))

Object.assign(globalThis, { h, createTokenManager, binding, copy, mount })
