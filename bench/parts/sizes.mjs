// The size of a typical set-up: everything that the bundle and the page load, minified, in bytes.

import { brotliCompressSync, gzipSync } from 'node:zlib'
import { SUBJECTS } from '../lib/subjects.mjs'

export async function sizes({ files, record }) {
  for (const { name } of SUBJECTS) {
    await record(['sizes', 0, name], () => {
      const loaded = [`/subjects/${name}.js`, ...(name === 'tokenkeep-file' ? ['/core.wasm'] : [])].map(
        (path) => files[path][1],
      )
      const sum = (measure) => loaded.reduce((total, bytes) => total + measure(bytes), 0)
      return {
        raw: sum((bytes) => bytes.length),
        gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
        brotli: sum((bytes) => brotliCompressSync(bytes).length),
      }
    })
  }
}
