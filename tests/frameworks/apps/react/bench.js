// The parts, for tests that assemble them.

import * as React from 'react'
import { createRoot } from 'react-dom/client'
import { flushSync } from 'react-dom'
import { createTokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/react'
import * as copy from './copy.js'

/** Mounts the result of `make` in an error boundary; returns `{ errors, unmount }`. */
function mount(make) {
  const errors = []
  class Boundary extends React.Component {
    state = { failed: false }
    static getDerivedStateFromError = () => ({ failed: true })
    componentDidCatch(error) {
      errors.push({ name: error.name, code: error.code, message: error.message })
    }
    render() {
      return this.state.failed ? 'failed' : this.props.children
    }
  }
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  flushSync(() =>
    root.render(
      React.createElement(React.StrictMode, null, React.createElement(Boundary, null, React.createElement(make))),
    ),
  )
  return { errors, unmount: () => flushSync(() => root.unmount()) }
}

Object.assign(globalThis, { React, h: React.createElement, createTokenManager, binding, copy, mount })
