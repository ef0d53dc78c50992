// Shows who is signed in, and the list of things to do.
import { useEffect, useState, useSyncExternalStore, type FormEvent } from 'react'
import { isTokenError, type SignoutEvent, type SignoutReason, type TokenManager } from 'tokenkeep'
import { listTodos } from './todos'

/** The claims in the app's tokens. */
export type User = { sub: string; name: string }
type Props = { auth: TokenManager<User> }

export function Account({ auth }: Props) {
  const { status, claims } = useSyncExternalStore(auth.subscribe, () => auth.state)
  const [outage, setOutage] = useState(false)
  const [reason, setReason] = useState<SignoutReason>()

  // The session ends in the browser even if the server cannot be reached.
  const signOut = () => void auth.logout().catch(() => {})
  const ask = () =>
    auth.known().then(
      () => setOutage(false),
      () => setOutage(true),
    )
  useEffect(() => void ask(), [auth])
  useEffect(() => {
    const listen = (event: SignoutEvent) => setReason(event.reason)
    auth.addEventListener('signout', listen)
    return () => auth.removeEventListener('signout', listen)
  }, [auth])

  if (status === 'signed-in') {
    return (
      <main>
        <h1>Hello {claims?.name}</h1>
        <Todos auth={auth} />
        <button onClick={signOut}>Sign out</button>
      </main>
    )
  }
  if (status === 'signed-out') return <SignIn auth={auth} isOver={reason === 'rejected'} />
  if (outage)
    return (
      <p role="alert">
        The server can't be reached. <button onClick={ask}>Try again</button>
      </p>
    )
  return <p role="status">One moment…</p>
}

function SignIn({ auth, isOver }: Props & { isOver: boolean }) {
  const [message, setMessage] = useState(isOver ? 'Your session is over.' : '')

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    try {
      await auth.login('/auth/login', { body: new FormData(event.currentTarget) })
    } catch (error) {
      setMessage(isTokenError(error) && error.code === 'rejected' ? 'Wrong password.' : 'Please try again later.')
    }
  }

  return (
    <form onSubmit={submit}>
      <label>
        Password <input name="password" type="password" />
      </label>
      <button>Sign in</button>
      {message && <p role="alert">{message}</p>}
    </form>
  )
}

function Todos({ auth }: Props) {
  const [todos, setTodos] = useState<string[]>([])
  useEffect(() => void listTodos(auth).then(setTodos, () => setTodos(['The list is not there.'])), [auth])
  return (
    <ul>
      {todos.map((todo) => (
        <li key={todo}>{todo}</li>
      ))}
    </ul>
  )
}
