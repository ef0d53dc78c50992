// The app's API calls.
import type { TokenManager } from 'tokenkeep'

export async function listTodos(auth: Pick<TokenManager, 'fetch'>): Promise<string[]> {
  const response = await auth.fetch('/api/todos')
  if (!response.ok) throw new Error(`The to-do list answered ${response.status}`)
  return response.json()
}
