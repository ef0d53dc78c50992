// A query's hook in a component, for tests that know of promises alone.

import { createElement, useEffect, type FunctionComponent } from 'react'
import { createRoot } from 'react-dom/client'

interface Result {
  data?: unknown
  error?: unknown
}

/** Renders what `useResult` gives, inside of `Wrapper`, until it has data or an error. `signal` takes the component away before. */
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

/** Renders what `useResult` gives, and stays. Answers a function that tells what is shown. */
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
