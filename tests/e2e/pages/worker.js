// A manager in a worker: it calls what it is sent, and answers with what came of it.

import './page.js'

await start()
addEventListener('message', async ({ data }) => postMessage(await call(data)))
postMessage('ready')
