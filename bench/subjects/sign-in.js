// The sign-in for peers that have no login of their own.

async function token(path) {
  const response = await fetch(path, { method: 'POST', credentials: 'include' })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (await response.json()).access_token
}

export const signIn = () => token(`/auth/login${location.search}`)
export const refresh = () => token('/auth/refresh')
