// News among tabs, over a `BroadcastChannel` (HTML, 9.5), in a form that has a number: who speaks another one is not heard.

import { own } from './json.js'
import { alone } from './notice.js'
import { after, outside, within } from './timer.js'

/** The form of the messages. Another number is another form. */
const VERSION = 2

/** So many messages at once are heard, and one more for each REFILL milliseconds: all tabs together send fewer. */
const BURST = 100
const REFILL = 10
/** So soon after messages were let fall the others are asked what has come about, in milliseconds. */
const MISSED = 1000
/** So many milliseconds at least are between two answers to the question who has a token: one answer is for all who have asked. */
const ANSWERS = 100
/** How long sealing and opening are waited for at the most, in milliseconds of time in which the page could run. */
const SEALING = 1000

/**
 * Opens the channel, or says undefined where the platform has none. `heard` gets each message that is of the known form,
 * as a list: kind, stamp, session, asked, subject, accessToken, refreshToken, life, sessionLife, bound; or undefined, when the page has come back from where it
 * may have heard nothing. Whatever comes in was sent by some script of this origin, perhaps another version of this package,
 * perhaps an attacker's.
 * @param {string} name @param {(message: unknown[] | undefined) => void} heard
 * @param {ReturnType<typeof import('./sealed.js').sealer>} [keys]  Where there may be a refresh token to hand on: it is sealed. Without
 *   keys it is not handed on.
 */
export function open(name, heard, keys) {
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
  const [sends, tells] = [line(), line()]
  const tell = (message) => isClosed || heard(message)
  const send = (message) => {
    try {
      channel.postMessage({ tokenkeep: VERSION, ...message })
    } catch {
      // A channel that is closed by others, or is none: the other tabs ask the server.
    }
  }
  const hear = (event) => {
    // Nothing is read of what is too much. What was news of it is told again; and the server knows it in any case.
    if (!takes(event.timeStamp)) {
      cancelMissed ??= after(() => {
        cancelMissed = undefined
        tell(undefined)
      }, MISSED)
      return
    }
    const { data, timeStamp } = event
    const message = read(data)
    if (!message) return
    const key = own(data, 'key')
    // A tab that is met for the first time is told of this one, and has what it needs by then.
    if (keys?.meet(key) && message[0] !== 'ask') greet()
    if (message[0] === 'ask') answer(message, timeStamp)
    else {
      const sealed = keys && own(data, 'sealed')
      tells(sealed && (async () => void (message[REFRESH_TOKEN] = await keys.open(key, sealed))), () => tell(message))
    }
  }
  const greet = () => sends(async () => send({ kind: 'ask', key: await /** @type {NonNullable<typeof keys>} */ (keys).key }))
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
    post(kind, stamp, session, asked, subject, accessToken, refreshToken, life, sessionLife, bound) {
      // The receiver may have slept: both lives are counted from here.
      const at = accessToken === undefined ? undefined : Date.now()
      const message = { kind, stamp, session, asked, subject, accessToken, life, sessionLife, bound, at }
      const seal = keys && (async () => {
        message.key = await keys.key
        if (refreshToken !== undefined) message.sealed = await keys.seal(refreshToken)
      })
      sends(seal, () => send(message))
    },
    /**
     * Fulfils with `value` when what was posted is sealed and sent, and what was heard is opened and told: soon, in any case.
     * @template T @param {Promise<T> | T} value @returns {Promise<T>}
     */
    async settled(value) {
      const first = await value
      if (keys) await within(Promise.all([sends(), tells()]), SEALING)
      return first
    },
    close() {
      isClosed = true
      cancelMissed?.()
      cancelAnswer?.()
      removeEventListener('pageshow', comeBack)
      // What is being sealed goes out before.
      sends(undefined, () => {
        try {
          channel.onmessage = null
          channel.close()
        } catch {
          // It is none.
        }
      })
    },
  }
}

/**
 * A line, so that messages keep their order while one of them is being sealed or opened. What need not wait does not.
 * @returns {(prepare?: () => Promise<void>, go?: () => void) => void}
 */
function line() {
  let length = 0
  let last = Promise.resolve()
  return (prepare, go = () => {}) => {
    if (!prepare && !length) return go()
    length++
    // Without a key, it goes as it is.
    return last = last.then(prepare).catch(() => {}).then(go).finally(() => length--)
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

/** The place of the refresh token in a message that was read. */
const REFRESH_TOKEN = 6

function read(data) {
  if (typeof data !== 'object' || data === null || own(data, 'tokenkeep') !== VERSION) return undefined
  const [kind, subject, accessToken, at] = ['kind', 'subject', 'accessToken', 'at'].map((name) => own(data, name))
  const stamp = (name) => {
    const number = own(data, name)
    return number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined
  }
  // What is left of it, but never nothing: a token whose end is not known would live longer than one that has ended.
  const left = (name) => {
    const life = own(data, name)
    return typeof life === 'number' ? Math.max(life - Math.max(Date.now() - at, 0), 1) : undefined
  }
  const grant = typeof at === 'number' ? [accessToken, undefined, left('life'), left('sessionLife'), own(data, 'bound')] : []
  return [kind, stamp('stamp'), stamp('session'), stamp('asked'), subject, ...grant]
}
