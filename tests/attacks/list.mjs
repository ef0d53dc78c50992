// All attacks, in the order of the table.

import elsewhere from './attacks/elsewhere.mjs'
import language from './attacks/language.mjs'
import memory from './attacks/memory.mjs'
import network from './attacks/network.mjs'
import origin from './attacks/origin.mjs'
import services from './attacks/services.mjs'
import targets from './attacks/targets.mjs'
import traces from './attacks/traces.mjs'
import workers from './attacks/workers.mjs'

/** Title and attacks. */
export const groups = [
  ['A script in the page patches what sends requests and reads responses', network],
  ['A script in the page patches the language', language],
  ['A script in the page patches other services of the platform', services],
  ['A script or the developer tools read memory', memory],
  ['A script in the page searches storage and the manager for tokens', traces],
  ['A script of the same origin uses the session', origin],
  ['A script of the same origin speaks to the worker', workers],
  ['The token is lured to another place', targets],
  ['A page of another origin', elsewhere],
]

export const attacks = groups.flatMap(([, attacks]) => attacks)
