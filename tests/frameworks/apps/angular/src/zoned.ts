// With zone.js, XMLHttpRequest and the interceptor.

import { Component, provideZoneChangeDetection } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { injectAuth } from 'tokenkeep/angular'
import { auth, uploadConfig } from './app/upload.config'
import { probe } from './probe'

@Component({ selector: 'app-root', template: '<p id="state">{{ state().status }} {{ state().claims?.["sub"] }}</p>' })
class Root {
  readonly state = injectAuth().state
}

let found: (app: any) => void
let failed: (error: unknown) => void
probe(auth, new Promise((resolve, reject) => ([found, failed] = [resolve, reject])))
bootstrapApplication(Root, { providers: [provideZoneChangeDetection(), ...uploadConfig.providers] }).then(
  (app) => found(app),
  (error) => failed(error),
)
