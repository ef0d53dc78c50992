// HLS players: hls.js and video.js, with their pages' code.

import { player } from './support/player.mjs'

const players = [
  await player('hls.js', 'hls'),
  await player('hls.js, xhrSetup', 'hls', 'Without replacing the global class'),
  await player('video.js', 'video-js'),
  // It retries only segments.
  await player('video.js, onRequest', 'video-js', 'By its own hook', ['2.aac']),
]
for (const rows of players) rows()
