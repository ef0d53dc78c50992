// The keys that tokens are bound to (RFC 9449): pairs for ES256 that the platform makes and uses, and whose private half no script
// can read out. One is kept in IndexedDB, for all tabs and for the pages that come after, or in this page alone.

import { before } from './timer.js'

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** The name of the store, and of the key in it. */
const KEY = 'key'
/** How long the platform is waited for at the most, in milliseconds of time in which the page could run. */
const LONGEST = 5000
/** The numbers that stand for the session's key, made where there is none, and for a new one; those of keys are larger. */
const SESSIONS = 0
const NEW = 1

/** @typedef {{ number: number, jwk: { kty: string, crv: string, x: string, y: string }, privateKey: CryptoKey }} Key */

/** The keys of a manager. @param {string} [database]  Where they are kept; without it, they are in memory. */
export function keyring(database) {
  /** @type {Key | undefined} */ let current
  /** Of a login that nobody has answered yet. @type {Key | undefined} */ let next
  const stored = () => access(database, 'readonly', (store) => store.get(KEY))

  async function find(which) {
    if (which === NEW) {
      // Before credentials are sent for a key that cannot be kept.
      if (database) await stored()
      return (next = await make())
    }
    if (which !== SESSIONS) {
      const known = [next, current].find((key) => key?.number === which)
      if (known || !database) return known
      const key = await stored()
      return key?.number === which ? (current = key) : undefined
    }
    if (!database) return (current ??= await make())
    // Another tab may have renewed it since.
    current = await stored()
    if (!current) {
      const made = await make()
      // Without a lock, another tab may have been quicker.
      await access(database, 'readwrite', (store) => store.add(made, KEY)).catch(() => {})
      current = await stored()
    }
    return current
  }

  return {
    /**
     * Makes the proof of a call. Fulfils with it and the number of its key; with undefined where that is not to be had, or the
     * signal is aborted.
     * @param {number} which  Which key: {@link SESSIONS}, {@link NEW}, or the one of that number.
     * @param {string} method @param {string} htu @param {number} iat @param {string} [nonce]
     * @param {string} [token]  The access token that goes along. @param {AbortSignal} [signal]
     */
    prove: (which, method, htu, iat, nonce, token, signal) => bounded(async () => {
      const [key, ath] = await Promise.all([find(which), token && crypto.subtle.digest('SHA-256', bytes(token)).then(base64url)])
      if (!key) return undefined
      const { jwk, privateKey, number } = key
      // As the platform sends it (Fetch, 2.2.1).
      const htm = method.replace(/^(delete|get|head|options|post|put)$/i, (name) => name.toUpperCase())
      const jti = base64url(crypto.getRandomValues(new Uint8Array(16)))
      const parts = [{ typ: 'dpop+jwt', alg: 'ES256', jwk }, { jti, htm, htu, iat, ath, nonce }]
      const input = parts.map((part) => base64url(bytes(JSON.stringify(part)))).join('.')
      return [`${input}.${base64url(await crypto.subtle.sign(ES256, privateKey, bytes(input)))}`, number]
    }, signal),
    /** A login has been accepted: its key is the session's. Fulfils with whether it is kept. */
    keep: () => bounded(async () => {
      if (database) await access(database, 'readwrite', (store) => store.put(next, KEY))
      current = next
      next = undefined
      return true
    }),
    /** The session has ended. */
    forget: () => bounded(async () => {
      current = next = undefined
      if (database) await access(database, 'readwrite', (store) => store.delete(KEY))
    }),
  }
}

/** @returns {Promise<Key>} */
async function make() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ES256, false, ['sign'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const [high, low] = crypto.getRandomValues(new Uint32Array(2))
  return /** @type {Key} */ ({ number: NEW + 1 + (high % 2 ** 20) * 2 ** 32 + low, jwk: { kty, crv, x, y }, privateKey })
}

/**
 * Does something with the store. The connection is closed after it: an open one would be in the way of whoever deletes the database.
 * @param {any} database @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} work @returns {Promise<any>}
 */
function access(database, mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(database)
    opening.onupgradeneeded = () => opening.result.createObjectStore(KEY)
    opening.onerror = reject
    opening.onsuccess = () => {
      const connection = opening.result
      try {
        const transaction = connection.transaction(KEY, mode)
        const request = work(transaction.objectStore(KEY))
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = reject
      } catch (error) {
        reject(error)
      }
      // Once its transaction is done.
      connection.close()
    }
  })
}

/** What the work comes to; undefined where it fails, takes too long, or the signal is aborted. @param {() => Promise<any>} work @param {AbortSignal} [signal] */
async function bounded(work, signal) {
  let outcome
  // Not in this turn: what is patched here may call back in.
  const done = Promise.resolve().then(work).then((value) => (outcome = value)).catch(() => {})
  try {
    await before(done, signal, LONGEST)
    return outcome
  } catch {
    return undefined
  }
}

const bytes = (text) => new TextEncoder().encode(text)
const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
