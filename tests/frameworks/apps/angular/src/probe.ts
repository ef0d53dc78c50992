// Lets the tests use the app's own manager and HttpClient, and counts listeners.

import { HttpClient, HttpErrorResponse, HttpEventType } from '@angular/common/http'
import {
  ApplicationRef,
  createEnvironmentInjector,
  ErrorHandler,
  Injector,
  runInInjectionContext,
  type EnvironmentProviders,
  type Provider,
} from '@angular/core'
import { createTokenManager, isTokenError, type TokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/angular'
import * as http from 'tokenkeep/angular/http'

export function probe(auth: TokenManager<any>, app: Promise<ApplicationRef>) {
  const page = globalThis as any
  Object.assign(page, {
    auth,
    listeners: 0,
    binding,
    bindingHttp: http,
    HttpEventType,
    createTokenManager,
    AbortController,
  })
  const { subscribe } = auth
  auth.subscribe = (listener) => {
    const unsubscribe = subscribe(listener)
    page.listeners += 1
    return () => {
      page.listeners -= 1
      unsubscribe()
    }
  }
  const client = async () => (await app).injector.get(HttpClient)
  page.client = client
  /** `count` calls at once; returns their statuses. */
  page.calls = async (count: number) => {
    const http = await client()
    const one = (n: number) =>
      new Promise((done) => {
        http
          .get(`/api/items/${n}`, { observe: 'response' })
          .subscribe({ next: ({ status }) => done(status), error: (error) => done(page.told(error)) })
      })
    return Promise.all(Array.from({ length: count }, (_, n) => one(n)))
  }
  /** A request's failure, in plain data. */
  page.told = (failure: unknown) => {
    if (!(failure instanceof HttpErrorResponse)) return `no HttpErrorResponse: ${failure}`
    const { status, error } = failure
    return {
      status,
      error: isTokenError(error) ? `TokenError ${error.code}` : error instanceof Error ? error.name : error,
    }
  }
  /** The events of a request, or its failure. */
  page.events = async (method: string, url: string, options: object) => {
    const http = await client()
    return new Promise((done) => {
      const events: unknown[] = []
      http.request(method, url, { observe: 'events', ...options } as { observe: 'events' }).subscribe({
        next: (event) => events.push(event),
        error: (error) => done({ events, failed: page.told(error) }),
        complete: () => done({ events }),
      })
    })
  }
  /** Whether the app becomes stable. */
  page.stable = async () => {
    const ref = await app
    return Promise.race([ref.whenStable().then(() => true), new Promise((done) => setTimeout(done, 5000, false))])
  }
  const plain = ({ name, code, message }: any) => ({ name, code, message })
  /** The failure of a function in an app: the page's app, or one without providers. */
  page.inApp = async (work: () => unknown) => within((await app).injector, work)
  page.bare = async (work: () => unknown) => within(Injector.NULL, work)
  async function within(injector: Injector, work: () => unknown) {
    try {
      return await runInInjectionContext(injector, work)
    } catch (error) {
      return plain(error)
    }
  }
  /** What an app with these providers passes to its ErrorHandler. */
  page.handled = async (providers: (Provider | EnvironmentProviders)[]) => {
    const { injector } = await app
    return new Promise((done) => {
      const handler = { provide: ErrorHandler, useValue: { handleError: (error: unknown) => done(plain(error)) } }
      createEnvironmentInjector([...(providers as Provider[]), handler], injector)
    })
  }
  page.destroy = async () => (await app).destroy()
}
