// The calls through both entries of tokenkeep.

export async function setUpWith(auth) {
  await auth.login(`/auth/login${location.search}`)
  return {
    get: (url) => auth.fetch(url),
    json: async (url) => (await auth.fetch(url)).json(),
    post: (url, body, type) => auth.fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body }),
  }
}
