// Lets the tests call by the app's own manager and HttpClient, and counts who listens.

import { HttpClient, HttpErrorResponse, HttpEventType } from '@angular/common/http'
import { ApplicationRef, createEnvironmentInjector, ErrorHandler, Injector, runInInjectionContext, type EnvironmentProviders, type Provider } from '@angular/core'
import { createTokenManager, isTokenError, type TokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/angular'
import * as http from 'tokenkeep/angular/http'

export function probe(auth: TokenManager<any>, app: Promise<ApplicationRef>) {
  const page = globalThis as any
  Object.assign(page, { auth, listeners: 0, binding, bindingHttp: http, HttpEventType, createTokenManager, AbortController })
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
  /** `count` calls at once; answers their statuses. */
  page.calls = async (count: number) => {
    const http = await client()
    const one = (n: number) => new Promise((done) => {
      http.get(`/api/items/${n}`, { observe: 'response' }).subscribe({ next: ({ status }) => done(status), error: (error) => done(page.told(error)) })
    })
    return Promise.all(Array.from({ length: count }, (_, n) => one(n)))
  }
  /** How a request failed, in plain data. */
  page.told = (failure: unknown) => {
    if (!(failure instanceof HttpErrorResponse)) return `no HttpErrorResponse: ${failure}`
    const { status, error } = failure
    return { status, error: isTokenError(error) ? `TokenError ${error.code}` : error instanceof Error ? error.name : error }
  }
  /** The events of a request, or what it failed with. */
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
  /** What a function of an app fails with: of the page's app, or of one that provides nothing. */
  page.inApp = async (work: () => unknown) => within((await app).injector, work)
  page.bare = async (work: () => unknown) => within(Injector.NULL, work)
  async function within(injector: Injector, work: () => unknown) {
    try {
      return await runInInjectionContext(injector, work)
    } catch (error) {
      return plain(error)
    }
  }
  /** What is handed to the ErrorHandler of an app that has these providers. */
  page.handled = async (providers: (Provider | EnvironmentProviders)[]) => {
    const { injector } = await app
    return new Promise((done) => {
      const handler = { provide: ErrorHandler, useValue: { handleError: (error: unknown) => done(plain(error)) } }
      createEnvironmentInjector([...(providers as Provider[]), handler], injector)
    })
  }
  page.destroy = async () => (await app).destroy()
}
