// The keys that tokens are bound to (RFC 9449): ES256 key pairs that the platform makes and uses. No script can read a
// private key. The session's key is kept in IndexedDB, for all tabs and later pages, or in the memory of this page.

import { before } from './timer.js'

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** The name of the store, and of the key in it. */
const KEY = 'key'
/** How long to wait for the platform at most, in milliseconds in which the page could run. */
const LONGEST = 5000
/** Numbers for the session's key, which is made if there is none, and for a new key. The numbers of keys are larger. */
const SESSIONS = 0
const NEW = 1

/** @typedef {{ number: number, jwk: { kty: string, crv: string, x: string, y: string }, privateKey: CryptoKey }} Key */

/** The keys of a manager. @param {string} [database]  The database that stores them; without it, they are in memory. */
export function keyring(database) {
  /** @type {Key | undefined} */ let current
  /** The key of a login in flight. @type {Key | undefined} */ let next
  const stored = () => access(database, 'readonly', (store) => store.get(KEY))

  async function find(which) {
    if (which === NEW) {
      // Fail if the database is unavailable, before credentials are sent with a key that cannot be stored.
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
      // There may be no lock, and another tab may have stored a key first.
      await access(database, 'readwrite', (store) => store.add(made, KEY)).catch(() => {})
      current = await stored()
    }
    return current
  }

  return {
    /**
     * Makes the proof of a call. Resolves to the proof and the number of its key; to undefined if the key is not
     * available or the signal is aborted.
     * @param {number} which  {@link SESSIONS}, {@link NEW}, or the number of a key.
     * @param {string} method @param {string} htu @param {number} iat @param {string} [nonce]
     * @param {string} [token]  The access token of the call. @param {AbortSignal} [signal]
     */
    prove: (which, method, htu, iat, nonce, token, signal) =>
      bounded(async () => {
        const [key, ath] = await Promise.all([
          find(which),
          token && crypto.subtle.digest('SHA-256', bytes(token)).then(base64url),
        ])
        if (!key) return undefined
        const { jwk, privateKey, number } = key
        // Normalise the method as the platform does (Fetch, 2.2.1).
        const htm = method.replace(/^(delete|get|head|options|post|put)$/i, (name) => name.toUpperCase())
        const jti = base64url(crypto.getRandomValues(new Uint8Array(16)))
        const parts = [
          { typ: 'dpop+jwt', alg: 'ES256', jwk },
          { jti, htm, htu, iat, ath, nonce },
        ]
        const input = parts.map((part) => base64url(bytes(JSON.stringify(part)))).join('.')
        const signature = base64url(await crypto.subtle.sign(ES256, privateKey, bytes(input)))
        return { proof: `${input}.${signature}`, key: number }
      }, signal),
    /** A login was accepted, and its key becomes the session's. Resolves to whether the key was stored. */
    keep: () =>
      bounded(async () => {
        if (database) await access(database, 'readwrite', (store) => store.put(next, KEY))
        current = next
        next = undefined
        return true
      }),
    /** The session has ended. */
    forget: () =>
      bounded(async () => {
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
  return /** @type {Key} */ ({
    number: NEW + 1 + (high % 2 ** 20) * 2 ** 32 + low,
    jwk: { kty, crv, x, y },
    privateKey,
  })
}

/**
 * Accesses the store, and closes the connection: an open one would block the deletion of the database.
 * @param {any} database
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>}
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
      // The connection closes when its transaction is done.
      connection.close()
    }
  })
}

/**
 * The result of the work; undefined if it fails, takes too long, or the signal is aborted.
 * @param {() => Promise<any>} work @param {AbortSignal} [signal]
 */
async function bounded(work, signal) {
  let outcome
  // Start in a later turn, because a patched function could call back in.
  const done = Promise.resolve()
    .then(work)
    .then((value) => (outcome = value))
    .catch(() => {})
  try {
    await before(done, signal, LONGEST)
    return outcome
  } catch {
    return undefined
  }
}

const bytes = (text) => new TextEncoder().encode(text)
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=/g, '')
