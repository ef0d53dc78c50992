// Players of HLS: hls.js and video.js, by the code of their pages.

import { player } from './support/player.mjs'

await player('hls.js', 'hls')
await player('hls.js, xhrSetup', 'hls', 'Without replacing the global class')
await player('video.js', 'video-js')
await player('video.js, onRequest', 'video-js', 'By its own hook')
