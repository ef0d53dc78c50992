import type { Meta, StoryObj } from '@storybook/react-vite'
import { expect } from 'storybook/test'
import { controls, createTestTokenManager, type TestControls } from 'tokenkeep/testing'
import { Account, type User } from '../app/Account'
import { auth } from '../app/auth'

const alice = { claims: { sub: '7', name: 'Alice' } }

/** A manager for one story, in the state that the story shows. */
function manager(prepare: (test: TestControls<User>) => void) {
  const auth = createTestTokenManager<User>()
  auth.test.respond('/api/todos', () => Response.json(['Feed the cat']))
  prepare(auth.test)
  return auth
}

const meta: Meta<typeof Account> = { component: Account }
export default meta
type Story = StoryObj<typeof Account>

export const SignedIn: Story = { args: { auth: manager((test) => test.signIn(alice)) } }

export const SignedOut: Story = { args: { auth: manager((test) => test.signOut()) } }

export const NotKnownYet: Story = { args: { auth: manager(() => {}) } }

export const Outage: Story = { args: { auth: manager((test) => test.fail('refresh', 'network')) } }

export const WrongPassword: Story = {
  args: {
    auth: manager((test) => {
      test.signOut()
      test.fail('login', 'rejected')
    }),
  },
  async play({ canvas, userEvent }) {
    await userEvent.type(canvas.getByLabelText('Password'), 'rabbit')
    await userEvent.click(canvas.getByText('Sign in'))
    await expect(await canvas.findByText('Wrong password.')).toBeVisible()
  },
}

/** For apps that provide the manager by a context: each story has its own, created anew each time it is shown. */
export const SessionIsOver: Story = {
  render: (_, { loaded }) => <Account auth={loaded.auth} />,
  loaders: [() => ({ auth: manager((test) => test.signIn(alice)) })],
  async play({ canvas, loaded }) {
    await canvas.findByText('Feed the cat')
    loaded.auth.test.signOut('rejected')
    await expect(await canvas.findByText('Your session is over.')).toBeVisible()
  },
}

/** The app's own module with its one manager: see `viteFinal` in main.ts. */
export const ModuleOfTheApp: Story = {
  args: { auth },
  beforeEach() {
    controls(auth).signIn({ claims: { sub: '8', name: 'Bob' } })
    controls(auth).respond('/api/todos', Response.json(['Call Alice']))
    return () => controls(auth).reset()
  },
}
