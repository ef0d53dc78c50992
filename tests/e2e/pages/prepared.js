// In a worker that keeps the token, before the manager: what the tests do to its platform, and how they reach it later. They speak over the
// manager's own port, so what they ask for comes after what the page has sent before, and before what it sends after that.

import * as all from './deeds.js'

const deeds = new Map(Object.entries(all))

for (const name of new URLSearchParams(location.search).getAll('with')) deeds.get(name)()

const listen = (port) =>
  port?.addEventListener('message', async ({ data: { test, name, argument } }) => {
    if (!test) return
    try {
      port.postMessage({ test, value: await deeds.get(name)(argument) })
    } catch (error) {
      port.postMessage({ test, error: String(error) })
    }
  })

/** In a service worker: the ports, by the names of their lines. */
const ports = new Map()

for (const type of ['connect', 'message'])
  addEventListener(type, (/** @type {any} */ { data, ports: [port] }) => {
    listen(port)
    if (port) ports.set(data.tokenkeep, port)
    else if (data?.test) ports.get(data.line)?.postMessage({ test: data.test })
  })
