// News among tabs, over a `BroadcastChannel` (HTML, 9.5), in the one form that all versions of this file understand.

import { alone } from './notice.js'
import { after, outside } from './timer.js'

/** The form of the messages. Another number is another form. */
const VERSION = 1

/** So many messages at once are heard, and one more for each REFILL milliseconds: all tabs together send fewer. */
const BURST = 100
const REFILL = 10
/** So soon after messages were let fall the others are asked what has come about, in milliseconds. */
const MISSED = 1000
/** So many milliseconds at least are between two answers to the question who has a token: one answer is for all who have asked. */
const ANSWERS = 100

/**
 * Opens the channel, or says undefined where the platform has none. `heard` gets each message that is of the known form,
 * as a list: kind, stamp, session, accessToken, refreshToken, life; or undefined, when the page has come back from where it
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
  let isClosed = false
  let cancelMissed
  let cancelAnswer
  let answered = -Infinity
  const takes = bucket()
  const tell = (message) => isClosed || heard(message)
  const hear = (event) => {
    // Nothing is read of what is too much. What was news of it is told again; and the server knows it in any case.
    if (!takes(event.timeStamp)) {
      cancelMissed ??= after(() => {
        cancelMissed = undefined
        tell(undefined)
      }, MISSED)
      return
    }
    const message = read(event.data)
    if (message?.[0] === 'ask') answer(message, event.timeStamp)
    else if (message) tell(message)
  }
  const answer = (message, now) => {
    if (cancelAnswer) return
    const wait = Math.max(answered + ANSWERS - now, 0)
    answered = now + wait
    if (!wait) return tell(message)
    cancelAnswer = after(() => {
      cancelAnswer = undefined
      tell(message)
    }, wait)
  }
  // It stays open in the back/forward cache. There a message throws the page out, which is as it should be: closed, it would
  // come back with the token of a session that has ended. Where the platform lets messages fall instead, it asks.
  const comeBack = ({ persisted }) => persisted && tell(undefined)
  outside(() => {
    channel.onmessage = hear
    addEventListener('pageshow', comeBack)
  })
  return {
    /** Tells all other tabs. */
    post(kind, stamp, session, accessToken, refreshToken, life) {
      // The receiver may have slept: the life is counted from here.
      const at = accessToken === undefined ? undefined : Date.now()
      try {
        channel.postMessage({ tokenkeep: VERSION, kind, stamp, session, accessToken, refreshToken, life, at })
      } catch {
        // A channel that is closed by others, or is none: the other tabs ask the server.
      }
    },
    close() {
      isClosed = true
      cancelMissed?.()
      cancelAnswer?.()
      removeEventListener('pageshow', comeBack)
      try {
        channel.onmessage = null
        channel.close()
      } catch {
        // It is none.
      }
    },
  }
}

/** Says whether one more message is to be heard at a moment. */
function bucket() {
  let left = BURST
  let last = 0
  return (now) => {
    left = Math.min(BURST, left + Math.max(now - last, 0) / REFILL)
    last = now
    if (left < 1) return false
    left--
    return true
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
