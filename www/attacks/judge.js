// @ts-check
// Judges an attack: finds the newest token in everything that the attack saw, and asks the API whether it accepts the
// token from the attacker.

const platform = globalThis.fetch

/**
 * A token, shortened for the page.
 * @typedef {{ shown: string, claims: Record<string, unknown>, isAccepted: boolean }} Loot
 */

const TOKEN = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{20,}/g

/** @param {string | undefined} text */
export const holdsToken = (text) => text !== undefined && text.search(TOKEN) >= 0

/** @param {string[]} texts @returns {Promise<Loot | undefined>} */
export async function judge(texts) {
  const tokens = new Set(texts.flatMap((text) => text.match(TOKEN) ?? []))
  const read = [...tokens].flatMap((token) => {
    const claims = claimsOf(token)
    return claims ? [{ token, claims }] : []
  })
  const [newest] = read.sort((one, other) => Number(other.claims.iat) - Number(one.claims.iat))
  if (!newest) return undefined
  const { token, claims } = newest
  const { ok } = await platform('/api/me', { headers: { Authorization: `Bearer ${token}` }, credentials: 'omit' })
  return { shown: `${token.slice(0, 8)}…${token.slice(-4)}`, claims, isAccepted: ok }
}

/** @param {string} token @returns {Record<string, unknown> | undefined} */
function claimsOf(token) {
  try {
    const [, payload = ''] = token.split('.')
    const claims = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')))
    return claims.iat ? claims : undefined
  } catch {
    return undefined
  }
}
