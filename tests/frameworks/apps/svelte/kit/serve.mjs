// Builds and serves the app, like `vite build` and `vite preview`. It ends with its parent process.

import { createBuilder, preview } from 'vite'

process.stdin.resume().on('end', () => process.exit())
await (await createBuilder()).buildApp()
const { httpServer } = await preview({ preview: { port: 0, host: '127.0.0.1' } })
console.log(`listening on http://127.0.0.1:${httpServer.address().port}`)
