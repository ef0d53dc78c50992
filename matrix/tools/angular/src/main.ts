import { Component, signal } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { run } from './app.js'

@Component({ selector: 'app-root', template: '<p id="said">{{ outcome() }}</p>' })
class App {
  readonly outcome = signal('')

  constructor() {
    void run().then((outcome: string) => this.outcome.set(outcome))
  }
}

void bootstrapApplication(App)
