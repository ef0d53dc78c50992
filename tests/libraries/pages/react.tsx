// A query hook in a component, for tests that use promises only.

import { createElement, useEffect, type FunctionComponent } from 'react'
import { createRoot } from 'react-dom/client'

interface Result {
  data?: unknown
  error?: unknown
}

/** Renders the result of `useResult` inside `Wrapper` until it has data or an error. `signal` unmounts the component before that. */
export function shown(useResult: () => Result, Wrapper: FunctionComponent, signal?: AbortSignal): Promise<unknown> {
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  signal?.addEventListener('abort', () => root.unmount())
  return new Promise((resolve, reject) => {
    function Component() {
      const { data, error } = useResult()
      useEffect(() => {
        if (data) resolve(data)
        else if (error) reject(error)
      })
      return null
    }
    root.render(createElement(Wrapper, null, createElement(Component)))
  }).finally(() => root.unmount())
}

/** Renders the result of `useResult` permanently. Returns a function for what is shown. */
export function show(useResult: () => Result, Wrapper: FunctionComponent): () => Result {
  let last: Result = {}
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  const Component = () => {
    const { data, error } = useResult()
    last = { data, error }
    return null
  }
  root.render(createElement(Wrapper, null, createElement(Component)))
  return () => last
}
