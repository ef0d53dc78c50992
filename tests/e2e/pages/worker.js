// A manager in a worker: it makes the calls that it receives, and answers with their outcome.

import './page.js'

await start()
addEventListener('message', async ({ data }) => postMessage(await call(data)))
postMessage('ready')
