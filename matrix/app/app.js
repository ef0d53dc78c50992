// What every project does: it signs in, has the server refuse the token, and calls three times at once.

import { auth } from './auth.js'

let running

/** Resolves to the text that the page shows. A page that mounts twice does it once. */
export const run = () =>
  (running ??= tryOut()
    .catch(String)
    .then((outcome) => (/** @type {any} */ (globalThis).outcome = JSON.stringify(outcome))))

async function tryOut() {
  await auth.login('/auth/login', { body: new URLSearchParams({ username: 'alice' }) })
  await fetch('/expire', { method: 'POST' })
  const answers = await Promise.all(['/api/1', '/api/2', '/api/3'].map((path) => auth.fetch(path)))
  const names = await Promise.all(answers.map(async (answer) => (await answer.json()).name))
  return { names, status: auth.state.status }
}
