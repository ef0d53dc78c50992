// A stream that every player plays and nobody hears: silent frames of bare AAC, as HLS allows them (RFC 8216, section 3.4).

// One channel, 44.1 kHz, 1024 samples.
const SILENCE = [0x00, 0xc8, 0x00, 0x80, 0x23, 0x80]
const SAMPLES = 1024
const RATE = 44_100
/** In seconds. */
const SEGMENT = 2

/** An ADTS frame (ISO 14496-3, 1.A.2.2.1). */
function frame() {
  const length = 7 + SILENCE.length
  return Buffer.from([
    0xff,
    0xf1,
    0x50,
    0x40 | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
    ...SILENCE,
  ])
}

/** The start time as an ID3 tag, in ticks of 90 kHz (RFC 8216, section 3.4). */
function timestamp(seconds) {
  const owner = Buffer.from('com.apple.streaming.transportStreamTimestamp\0', 'latin1')
  const body = Buffer.alloc(owner.length + 8)
  owner.copy(body)
  body.writeBigUInt64BE(BigInt(Math.round(seconds * 90_000)), owner.length)
  const size = (n) => [(n >> 21) & 0x7f, (n >> 14) & 0x7f, (n >> 7) & 0x7f, n & 0x7f]
  return Buffer.concat([
    Buffer.from([
      0x49,
      0x44,
      0x33,
      4,
      0,
      0,
      ...size(10 + body.length),
      0x50,
      0x52,
      0x49,
      0x56,
      ...size(body.length),
      0,
      0,
    ]),
    body,
  ])
}

const FRAMES = Math.round((SEGMENT * RATE) / SAMPLES)

/** The segment with this number. */
export const segment = (n) =>
  Buffer.concat([timestamp((n * FRAMES * SAMPLES) / RATE), ...Array.from({ length: FRAMES }, frame)])

/** A playlist with this many segments. */
export const playlist = (count) =>
  [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${SEGMENT}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...Array.from({ length: count }, (_, n) => `#EXTINF:${((FRAMES * SAMPLES) / RATE).toFixed(5)},\n${n}.aac`),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n')
