// News among tabs, over a `BroadcastChannel` (HTML, 9.5), in the one form that all versions of this file understand.

import { alone } from './notice.js'

/** The form of the messages. Another number is another form. */
const VERSION = 2

/**
 * Opens the channel, or says undefined where the platform has none. `heard` gets each message that is of the known form,
 * as a list: kind, stamp, session, asked, subject, accessToken, refreshToken, life; or undefined, when the page has come back from where it
 * may have heard nothing. Whatever comes in was sent by some script of this origin, perhaps another version of this package,
 * perhaps an attacker's.
 * @param {string} name @param {(message: unknown[] | undefined) => void} heard
 */
export function open(name, heard) {
  let channel
  try {
    channel = new BroadcastChannel(name)
  } catch {
    alone()
    return undefined
  }
  channel.onmessage = ({ data }) => {
    const message = read(data)
    if (message) heard(message)
  }
  // It stays open in the back/forward cache. There a message throws the page out, which is as it should be: closed, it would
  // come back with the token of a session that has ended. Where the platform lets messages fall instead, it asks.
  const comeBack = ({ persisted }) => persisted && heard(undefined)
  addEventListener('pageshow', comeBack)
  return {
    /** Tells all other tabs. */
    post(kind, stamp, session, asked, subject, accessToken, refreshToken, life) {
      // The receiver may have slept: the life is counted from here.
      const at = accessToken === undefined ? undefined : Date.now()
      channel.postMessage({ tokenkeep: VERSION, kind, stamp, session, asked, subject, accessToken, refreshToken, life, at })
    },
    close() {
      removeEventListener('pageshow', comeBack)
      channel.onmessage = null
      channel.close()
    },
  }
}

function read(data) {
  if (typeof data !== 'object' || data?.tokenkeep !== VERSION) return undefined
  const { kind, subject, accessToken, refreshToken, life, at } = data
  const stamp = (number) => (number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined)
  // What is left of it, but never nothing: a token whose end is not known would live longer than one that has ended.
  const left = typeof life === 'number' ? Math.max(life - Math.max(Date.now() - at, 0), 1) : undefined
  const grant = typeof at === 'number' ? [accessToken, refreshToken, left] : []
  return [kind, stamp(data.stamp), stamp(data.session), stamp(data.asked), subject, ...grant]
}
