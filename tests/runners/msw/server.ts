// The back end, simulated by MSW: one user, a session that only the server knows, and one valid access token.
import { http, HttpResponse } from 'msw'

// The server's session; a real server keeps it in an HttpOnly cookie.
let session = false
let issued = 0

const granted = () => HttpResponse.json({ access_token: `token-${++issued}`, expires_in: 300 })
const isGood = (request: Request) => request.headers.get('authorization') === `Bearer token-${issued}`

export const backend = {
  refreshes: 0,
  /** The API no longer accepts the tokens issued so far. */
  expire: () => void issued++,
  reset() {
    session = false
    backend.refreshes = 0
  },
}

export const handlers = [
  http.post('/auth/login', async ({ request }) => {
    session = (await request.formData()).get('password') === 'wonderland'
    return session ? granted() : HttpResponse.json({ error: 'wrong_password' }, { status: 401 })
  }),
  http.post('/auth/refresh', () => {
    backend.refreshes++
    return session ? granted() : HttpResponse.json({ error: 'no_session' }, { status: 401 })
  }),
  http.post('/auth/logout', () => {
    session = false
    return new HttpResponse(null, { status: 204 })
  }),
  http.get('/api/todos', ({ request }) =>
    isGood(request)
      ? HttpResponse.json(['Feed the cat'])
      : HttpResponse.json({ error: 'invalid_token' }, { status: 401 }),
  ),
]
