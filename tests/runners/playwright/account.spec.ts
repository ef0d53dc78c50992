// The app with the package itself. The only server is the one for the app's own files.
import { expect, test, type Page } from '@playwright/test'
import { backend } from './backend'

async function signIn(page: Page, password = 'wonderland') {
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

test('a wrong password, and the right one', async ({ page }) => {
  await backend(page)
  await page.goto('/')
  await signIn(page, 'rabbit')
  await expect(page.getByRole('alert')).toHaveText('Wrong password.')
  await signIn(page)
  await expect(page.getByText('Hello Alice')).toBeVisible()
  await expect(page.getByText('Feed the cat')).toBeVisible()
})

test('a reload restores the session', async ({ page }) => {
  await backend(page)
  await page.goto('/')
  await signIn(page)
  await expect(page.getByText('Feed the cat')).toBeVisible()
  await page.reload()
  await expect(page.getByText('Hello Alice')).toBeVisible()
})

test('three calls with an expired token cost one refresh', async ({ page }) => {
  const server = await backend(page)
  await page.goto('/')
  await signIn(page)
  await expect(page.getByText('Feed the cat')).toBeVisible()
  const before = server.refreshes
  server.expire()
  const statuses = await page.evaluate(() =>
    Promise.all([1, 2, 3].map(async () => (await auth.fetch('/api/todos')).status)),
  )
  expect(statuses).toEqual([200, 200, 200])
  expect(server.refreshes).toBe(before + 1)
})

test('an outage is reported, and signs nobody out', async ({ page }) => {
  const server = await backend(page)
  server.session = true
  await page.route('**/auth/refresh', (route) => route.abort())
  await page.goto('/')
  await expect(page.getByRole('alert')).toContainText("can't be reached")
})

test('the app says so when the server ends the session', async ({ page }) => {
  const server = await backend(page)
  await page.goto('/')
  await signIn(page)
  await expect(page.getByText('Feed the cat')).toBeVisible()
  server.session = false
  server.expire()
  await page.evaluate(() => auth.fetch('/api/todos'))
  await expect(page.getByRole('alert')).toHaveText('Your session is over.')
})

test('signing out in one tab signs out the other', async ({ context }) => {
  const server = await backend(context)
  server.session = true
  const [one, other] = [await context.newPage(), await context.newPage()]
  for (const page of [one, other]) {
    await page.goto('/')
    await expect(page.getByText('Feed the cat')).toBeVisible()
  }
  await one.getByRole('button', { name: 'Sign out' }).click()
  await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible()
})

// The manager, which the app exposes for its tests.
declare const auth: typeof import('../app/auth').auth
