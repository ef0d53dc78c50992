// Players of HLS: hls.js and video.js, by the code of their pages.

import { player } from './support/player.mjs'

const players = [
  await player('hls.js', 'hls'),
  await player('hls.js, xhrSetup', 'hls', 'Without replacing the global class'),
  await player('video.js', 'video-js'),
  // It asks again for segments alone.
  await player('video.js, onRequest', 'video-js', 'By its own hook', ['2.aac']),
]
for (const rows of players) rows()
