// @ts-check
// The demo switches of the reference server. Not part of what an app writes: they make things go wrong, and
// tell what the server saw.

/** @typedef {{ n: number, path: string, status: number | null }} Entry */

/** @param {string} path @param {RequestInit} [init] */
async function demo(path, init) {
  const response = await fetch(`/demo/${path}`, init)
  if (!response.ok) throw new Error(`The server has no demo switches (${response.status}). Start it with --demo.`)
  return response
}

/** Revokes the access tokens, but not the sessions. */
export const expireTokens = () => demo('revoke', { method: 'POST' })

/** Ends the sessions, and revokes their access tokens. */
export const endSessions = () => demo('end', { method: 'POST' })

/** The server's log so far; undefined if the server does not give it. @returns {Promise<Entry[] | undefined>} */
export const seen = () =>
  demo('log').then(
    (response) => response.json(),
    () => undefined,
  )

const FAULTS = {
  none: {},
  down: { login: 'down', refresh: 'down', logout: 'down' },
  slow: { refresh: 'slow', delay_ms: 3000 },
}

/** @param {keyof typeof FAULTS} fault */
export const setFault = (fault) => demo('faults', { method: 'PUT', body: JSON.stringify(FAULTS[fault]) })

/** The fault that is on. @returns {Promise<keyof typeof FAULTS>} */
export async function fault() {
  const { refresh } = await (await demo('faults')).json()
  return refresh in FAULTS ? refresh : 'none'
}
