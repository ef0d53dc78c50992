// Messages between tabs over a `BroadcastChannel` (HTML, 9.5). Messages with another version number are ignored.

import { own } from './json.js'
import { alone } from './notice.js'
import { after, outside, within } from './timer.js'

/** The version of the message format. */
const VERSION = 2

/** The members that a message may have, beside a sealed refresh token and its key. */
const MEMBERS = 'kind stamp session asked subject accessToken life sessionLife bound at'.split(' ')

/** How long after a dropped message the other tabs are asked for the current state, in milliseconds. */
const MISSED = 1000
/**
 * The shortest time between two answers to the question who has a token, in milliseconds. One answer serves all tabs
 * that have asked.
 */
const ANSWERS = 100
/** How long to wait for sealing and opening at most, in milliseconds in which the page could run. */
const SEALING = 1000

/**
 * Opens the channel. Returns undefined if the platform has none. Any script of this origin can send messages: another
 * version of this package, or an attacker. Neither function is called after the end.
 * @param {string} name
 * @param {(sent: number) => boolean} takes  Whether a message that was sent at this time is read.
 * @param {(message: ReturnType<typeof valid>) => void} heard  Gets each message, see {@link valid}; undefined if
 *   messages may have been missed.
 * @param {ReturnType<typeof import('./sealed.js').sealer>} [keys]  The keys that seal refresh tokens. Without keys,
 *   refresh tokens are not sent.
 */
export function open(name, takes, heard, keys) {
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
  const [sends, tells] = [line(), line()]
  const tell = (message) => isClosed || heard(message)
  const send = (message) => {
    try {
      channel.postMessage({ tokenkeep: VERSION, ...message })
    } catch {
      // The channel was closed or replaced by another script. The other tabs will ask the server.
    }
  }
  const hear = (event) => {
    // `takes` and `heard` end with the channel, which listens until the last messages are sealed and sent.
    if (isClosed) return
    // Drop a message above the limit unread. Its news will be asked for later, and the server knows it in any case.
    if (!takes(event.timeStamp)) {
      cancelMissed ??= after(() => {
        cancelMissed = undefined
        tell(undefined)
      }, MISSED)
      return
    }
    const { data, timeStamp } = event
    const message = valid(data)
    if (!message) return
    const key = own(data, 'key')
    // Send this tab's key to a new tab. A tab that asks gets an answer, which has the key, in any case.
    if (keys?.meet(key) && message.kind !== 'ask') greet()
    if (message.kind === 'ask') answer(message, timeStamp)
    else {
      const sealed = keys && own(data, 'sealed')
      tells(sealed && (async () => void (message.refreshToken = await keys.open(key, sealed))), () => tell(message))
    }
  }
  const greet = () =>
    sends(async () => send({ kind: 'ask', key: await /** @type {NonNullable<typeof keys>} */ (keys).key }))
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
  // The channel stays open in the back/forward cache. A message then evicts the page from the cache, as it should: with
  // a closed channel, the page could come back with the token of a session that has ended. If the platform drops the
  // messages instead, the page asks when it comes back.
  const comeBack = ({ persisted }) => persisted && tell(undefined)
  outside(() => {
    channel.onmessage = hear
    addEventListener('pageshow', comeBack)
  })
  return {
    /** Sends a message to all other tabs. */
    post(kind, stamp, session, asked, subject, accessToken, refreshToken, life, sessionLife, bound) {
      // The receiver may have slept, so both lifetimes are counted from this time.
      const at = accessToken === undefined ? undefined : Date.now()
      const message = { kind, stamp, session, asked, subject, accessToken, life, sessionLife, bound, at }
      const seal =
        keys &&
        (async () => {
          message.key = await keys.key
          if (refreshToken !== undefined) message.sealed = await keys.seal(refreshToken)
        })
      sends(seal, () => send(message))
    },
    /**
     * Resolves to `value` when all posted messages are sealed and sent, and all received ones are opened and delivered,
     * but soon in any case.
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
      // Messages that are being sealed are sent first.
      sends(undefined, () => {
        try {
          channel.onmessage = null
          channel.close()
        } catch {
          // Another script has replaced the channel.
        }
      })
    },
  }
}

/**
 * A queue that keeps messages in order while one of them is being sealed or opened. Otherwise messages pass at once.
 * @returns {(prepare?: () => Promise<void>, go?: () => void) => void}
 */
function line() {
  let length = 0
  let last = Promise.resolve()
  return (prepare, go = () => {}) => {
    if (!prepare && !length) return go()
    length++
    // If sealing fails, the message is sent without the refresh token.
    return (last = last
      .then(prepare)
      .catch(() => {})
      .then(go)
      .finally(() => length--))
  }
}

/**
 * The members of a message of this version, which Rust checks: see `channel.rs`. A refresh token is added when it is
 * opened.
 * @returns {Record<string, unknown> | undefined}
 */
function valid(data) {
  if (typeof data !== 'object' || data === null || own(data, 'tokenkeep') !== VERSION) return undefined
  return { __proto__: null, ...Object.fromEntries(MEMBERS.map((name) => [name, own(data, name)])) }
}
