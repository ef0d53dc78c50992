// News among tabs, over a `BroadcastChannel` (HTML, 9.5), in the one form that all versions of this file understand.

/** The form of the messages. Another number is another form. */
const VERSION = 1

/**
 * Opens the channel, or says undefined where the platform has none. `heard` gets each message that is of the known form,
 * as a list: kind, stamp, session, accessToken, refreshToken, life. Whatever comes in was sent by some script of this
 * origin, perhaps another version of this package, perhaps an attacker's.
 * @param {string} name @param {(message: unknown[]) => void} heard
 */
export function open(name, heard) {
  let channel
  try {
    channel = new BroadcastChannel(name)
  } catch {
    return undefined
  }
  channel.onmessage = ({ data }) => {
    const message = read(data)
    if (message) heard(message)
  }
  return {
    /** Tells all other tabs. */
    post(kind, stamp, session, accessToken, refreshToken, life) {
      // The receiver may have slept: the life is counted from here.
      const at = accessToken === undefined ? undefined : Date.now()
      channel.postMessage({ tokenkeep: VERSION, kind, stamp, session, accessToken, refreshToken, life, at })
    },
    close() {
      channel.onmessage = null
      channel.close()
    },
  }
}

function read(data) {
  if (typeof data !== 'object' || data?.tokenkeep !== VERSION) return undefined
  const { kind, accessToken, refreshToken, life, at } = data
  const stamp = (number) => (number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined)
  // What is left of it, but never nothing: a token whose end is not known would live longer than one that has ended.
  const left = typeof life === 'number' ? Math.max(life - Math.max(Date.now() - at, 0), 1) : undefined
  const grant = typeof at === 'number' ? [accessToken, refreshToken, left] : []
  return [kind, stamp(data.stamp), stamp(data.session), ...grant]
}
