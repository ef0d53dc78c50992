// A bare `fetch` inside a worker, and one structured clone of its response: the least that a call through a worker can
// cost. Runs as a dedicated and as a shared worker.

async function answer(port, { id, url, init }) {
  const response = await fetch(url, init)
  const { status, statusText } = response
  port.postMessage({ id, status, statusText, headers: [...response.headers], body: await response.arrayBuffer() })
}

/** The same `count` times without messages: the clone is made here. Returns the milliseconds. */
async function alone(port, { id, url, init, count }) {
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const response = await fetch(url, init)
    const { status, statusText } = response
    if (status !== 200) throw new Error(`answered with ${status}`)
    structuredClone({ status, statusText, headers: [...response.headers], body: await response.arrayBuffer() })
  }
  port.postMessage({ id, ms: performance.now() - began })
}

const serve = (port) => (port.onmessage = ({ data }) => void (data.count ? alone : answer)(port, data))

if ('onconnect' in globalThis) globalThis.onconnect = ({ ports: [port] }) => serve(port)
else serve(globalThis)
