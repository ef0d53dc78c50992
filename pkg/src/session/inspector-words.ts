// The sentences that say what was decided, and why. The manager reports the decision; the reason is derived from the state and from the
// events around it.

import type { RefreshErrorEvent, RefreshEvent, SignoutEvent, StepUpEvent, TokenState } from '../types.js'
import type { InspectedCall, InspectedEvent } from './inspector.js'

type Status = TokenState['status']
type Type = InspectedEvent['type']

/** How long before the token's expiry calls begin to wait for a refresh, in milliseconds, unless `refreshBefore` is set. */
const NEAR = 31_000

const SIGNOUT = {
  logout: 'logout() was called in this tab',
  rejected: 'the server refused the refresh',
  ended: 'an answer matched the option `ended`',
  'other-tab': 'it ended in another tab',
}

const STATUS = {
  unknown: 'It is not known yet whether the user is signed in',
  'signed-in': 'Signed in',
  'signed-out': 'Signed out',
}

/** `had`: the session at the time of the call. `since`: the types of the events since then. `is`: the status now. */
export function callText(
  call: Omit<InspectedCall, 'text'>,
  had: { status: Status; left: number | null },
  since: Type[],
  is: Status,
): string {
  const { decision, sendings, took, status, error, url } = call
  const [first, second] = sendings
  const words: string[] = []
  if (decision === 'passed') {
    words.push(`Sent without the token: ${origin(url)} is not in \`apis\`, or this is the refresh or logout endpoint.`)
    if (status === 401) words.push('The server refused it. If this is your API, add it to `apis`.')
  } else if (decision === 'own')
    words.push('Sent unchanged: it has its own Authorization header, or its mode is no-cors.')
  else {
    if (decision === 'waited') words.push(`Waited: ${reason(had)}.`)
    if (first) words.push(first.token ? 'Sent with the token.' : 'Sent without a token: nobody is signed in.')
    if (second) {
      words.push(
        `Refused (${first!.status ?? first!.error}), and sent again${second.token ? ' with a newer token' : ''}.`,
      )
      if (second.status === 401) words.push('Refused again: the caller got this 401.')
    } else if (first?.status === 401) {
      if (took === undefined) words.push('Refused (401): waiting for a new token.')
      else
        words.push(`Refused (401), and not sent again: ${error ? 'it got no new token' : why(since, is, first.token)}.`)
    }
  }
  if (error) words.push(`Failed with ${error}.`)
  return words.join(' ')
}

function reason({ status, left }: { status: Status; left: number | null }): string {
  if (status === 'unknown') return 'it was not known yet whether the user is signed in'
  if (left !== null && left <= 0) return 'the token had expired'
  if (left !== null && left < NEAR) return `the token was about to expire, in ${Math.ceil(left / 1000)} s`
  return 'an API had refused the token, or the session was changing'
}

function why(since: Type[], is: Status, hadToken: boolean): string {
  if (since.includes('stepup')) return 'the answer asks for a new login'
  if (since.includes('signout')) return 'the session has ended'
  if (is !== 'signed-in' || !hadToken) return 'nobody is signed in'
  return 'a new token would not help (the user may not do this), or the body can only be sent once'
}

/** The origin of a recorded URL, which is always valid. */
function origin(url: string): string {
  return /^[^/]*\/\/[^/]*/.exec(url)?.[0] ?? url
}

export function eventText(event: { readonly type: string }, state: TokenState<object>, now: number): string {
  const { type } = event
  if (type === 'change') {
    const { status, expiresAt } = state
    return `${STATUS[status]}${status === 'signed-in' && expiresAt !== null ? `, with a token that expires in ${Math.round((expiresAt - now) / 1000)} s` : ''}.`
  }
  if (type === 'refresh')
    return (event as RefreshEvent).answer === undefined
      ? 'A new token arrived without a request of this manager.'
      : 'The server sent a new token.'
  if (type === 'signout') {
    const { reason, error } = event as SignoutEvent
    return `The session ended: ${SIGNOUT[reason] ?? reason}${error?.status ? ` (${error.status})` : ''}.`
  }
  if (type === 'refresherror') {
    const { code, status, retryable } = (event as RefreshErrorEvent).error
    return `A refresh failed: ${code}${status ? ` (${status})` : ''}. ${retryable ? 'The session was kept; the next refresh starts after a pause.' : 'A retry will not help.'}`
  }
  // A challenge may hold private data, so only its scheme and its error are shown.
  const named = (event as StepUpEvent).challenges.map(({ scheme, parameters }) =>
    [scheme, parameters.error].filter(Boolean).join(' '),
  )
  return `An answer asks for a new login${named.length ? `: ${named.join(', ')}` : ''}.`
}
