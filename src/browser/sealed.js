// Encrypts (seals) a refresh token for the other tabs, because all scripts of an origin can listen to a
// `BroadcastChannel`. Each tab has a key pair (Web Cryptography API, ECDH on P-256). No script, not even the tab's own,
// can read the private key, so only the tab can open what is sealed for it.

const ECDH = { name: 'ECDH', namedCurve: 'P-256' }
/** The highest number of tabs that a token is sealed for. Of more tabs, the oldest are forgotten. */
const MOST = 32
/** The length of a public key on P-256, as a point in its raw form (SEC 1, 2.3.3), in bytes. */
const POINT = 65

/**
 * The keys of a tab; undefined if the platform has no cryptography, as in an insecure context.
 * @returns {undefined | { key: Promise<ArrayBuffer>, meet(key: unknown): boolean, seal(text: string): Promise<(object
 *   | void)[]>, open(from: unknown, sealed: any): Promise<string> }}
 */
export function sealer() {
  const { subtle } = globalThis.crypto ?? {}
  if (!subtle) return undefined
  const pair = subtle.generateKey(ECDH, false, ['deriveBits'])
  const key = pair.then(({ publicKey }) => subtle.exportKey('raw', publicKey))
  // Code that awaits the key gets the error.
  key.catch(() => {})
  /** The public keys of the other tabs, by name. */
  const others = new Map()

  /** Derives the key that only this tab and the tab with the public key `point` share. */
  async function shared(point, use) {
    const { privateKey } = await pair
    const bits = await subtle.deriveBits(
      { name: 'ECDH', public: await subtle.importKey('raw', point, ECDH, false, []) },
      privateKey,
      256,
    )
    const secret = await subtle.importKey('raw', bits, 'HKDF', false, ['deriveKey'])
    const how = {
      name: 'HKDF',
      hash: 'SHA-256',
      salt: new Uint8Array(),
      info: new TextEncoder().encode('tokenkeep refresh token'),
    }
    return subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 256 }, false, [use])
  }

  return {
    key,
    /** Remembers another tab by its public key. Returns whether the tab is new. */
    meet(point) {
      if (!isPoint(point)) return false
      const name = nameOf(point)
      const isNew = !others.has(name)
      if (isNew && others.size === MOST) others.delete(others.keys().next().value)
      others.set(name, point)
      return isNew
    },
    /** Seals a text for each known tab; undefined for a tab whose key is invalid. */
    async seal(text) {
      const sealFor = async ([to, point]) => {
        const iv = crypto.getRandomValues(new Uint8Array(12))
        const data = await subtle.encrypt(
          { name: 'AES-GCM', iv },
          await shared(point, 'encrypt'),
          new TextEncoder().encode(text),
        )
        return { to, iv, data }
      }
      return Promise.all([...others].map((other) => sealFor(other).catch(() => {})))
    },
    /**
     * Opens what the tab with the public key `from` has sealed for this tab. Rejects if there is nothing for this tab.
     */
    async open(from, sealed) {
      const name = nameOf(await key)
      const { iv, data } = sealed.slice(0, MOST).find((one) => one?.to === name)
      return new TextDecoder().decode(
        await subtle.decrypt({ name: 'AES-GCM', iv }, await shared(from, 'decrypt'), data),
      )
    },
  }
}

const isPoint = (value) => value instanceof ArrayBuffer && value.byteLength === POINT
const nameOf = (point) => String.fromCharCode(...new Uint8Array(point, 1, 16))
