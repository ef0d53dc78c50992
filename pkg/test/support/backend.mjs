// The routes of a small back end: one user, who signs in and out by a cookie, and one API that accepts the newest token.

/** `refreshes` counts; `refuse` makes the API refuse the current tokens. */
export function backend() {
  let tokens = 0
  let session = false
  const json = (body, headers) => ['application/json', JSON.stringify(body), headers]
  const grant = () => json({ access_token: `token-${++tokens}`, expires_in: 300 })
  const state = {
    refreshes: 0,
    refuse: () => tokens++,
    routes: {
      '/auth/login': (_, body) => {
        if (!String(body).includes('wonderland')) return json({ error: 'invalid_credentials' }, { status: 401 })
        session = true
        return json({ access_token: `token-${++tokens}`, expires_in: 300, user: 'alice' })
      },
      '/auth/refresh': () => {
        state.refreshes++
        return session ? grant() : json({ error: 'no_session' }, { status: 401 })
      },
      '/auth/logout': () => {
        session = false
        return ['text/plain', '', { status: 204 }]
      },
      '/api/me': ({ headers }) =>
        headers.authorization === `Bearer token-${tokens}`
          ? json({ name: 'alice' })
          : json({ error: 'invalid_token' }, { status: 401 }),
    },
  }
  return state
}

/** What a page does with `auth`. Resolves to what happened. */
export const TRY_OUT = `async (auth) => {
  await auth.ready
  const login = await auth.login('/auth/login', { body: new URLSearchParams({ password: 'wonderland' }) })
  const first = await auth.fetch('/api/me')
  await fetch('/refuse')
  const [second, third] = await Promise.all([auth.fetch('/api/me'), auth.fetch('/api/me')])
  const names = [await first.json(), await second.json(), await third.json()].map(({ name }) => name)
  const before = auth.state.status
  await auth.logout('/auth/logout')
  return { login, names, before, after: auth.state.status, refused: (await auth.fetch('/api/me')).status }
}`

/** The expected result of TRY_OUT. */
export const TRIED_OUT = {
  login: { expires_in: 300, user: 'alice' },
  names: ['alice', 'alice', 'alice'],
  before: 'signed-in',
  after: 'signed-out',
  refused: 401,
}
