// Orders the functions of a WebAssembly file so that similar ones are neighbours: gzip finds repetitions only at short distances. Nothing
// else changes, and the same input gives the same order.

import { gzipSync } from 'node:zlib'

/** The file with function names that sort into this order; wasm-opt sorts by the names, and removes them again. */
export function named(wasm) {
  const sections = new Map(read(wasm))
  const first = importedFunctions(sections.get(IMPORTS))
  const names = []
  best(bodies(sections.get(CODE))).forEach((index, place) => {
    names[index] = `f${`${place}`.padStart(5, '0')}`
  })
  const functions = [...leb(names.length), ...names.flatMap((name, index) => [...leb(first + index), ...text(name)])]
  const content = [...text('name'), FUNCTION_NAMES, ...leb(functions.length), ...functions]
  return Buffer.concat([wasm, Buffer.from([CUSTOM, ...leb(content.length), ...content])])
}

// WebAssembly Core Specification, 5.5.2 and 7.4.1.
const CUSTOM = 0
const IMPORTS = 2
const CODE = 10
const FUNCTION_NAMES = 1
const HEADER = 8

/** The length in bytes of the sequences that are compared between functions. */
const ROW = 4
/** One in so many functions starts a chain. */
const STRIDE = 8

/**
 * The best of several chains. The first function of a chain changes the compressed size by up to 1 %, in no predictable way, so
 * several are tried with gzip.
 */
function best(bodies) {
  const likeness = likenesses(bodies.map(rowsOf))
  let found
  let least = Infinity
  for (let first = 0; first < bodies.length; first += STRIDE) {
    const order = chain(likeness, first)
    const size = gzipSync(Buffer.concat(order.map((index) => bodies[index])), { level: 9 }).length
    if (size < least) [least, found] = [size, order]
  }
  return found
}

/** Starts with one function, and always continues with the most similar of the remaining ones. */
function chain(likeness, first) {
  const left = new Set(likeness.keys())
  const order = []
  for (let last = first; left.delete(last); last = mostLike(likeness[last], left)) order.push(last)
  return order
}

function mostLike(likeness, left) {
  let most = -1
  let found
  for (const index of left) if (likeness[index] > most) [most, found] = [likeness[index], index]
  return found
}

/** For each pair, the share of their sequences that both have (Jaccard index). */
function likenesses(rows) {
  const holders = new Map()
  rows.forEach((set, index) => {
    for (const row of set) {
      const found = holders.get(row)
      if (found) found.push(index)
      else holders.set(row, [index])
    }
  })
  return rows.map((set) => {
    const common = new Float64Array(rows.length)
    for (const row of set) for (const index of holders.get(row)) common[index]++
    return common.map((count, index) => count / Math.max(set.size + rows[index].size - count, 1))
  })
}

/** All byte sequences of length ROW in a function. */
function rowsOf(body) {
  const rows = new Set()
  for (let at = 0; at + ROW <= body.length; at++) rows.add(body.toString('latin1', at, at + ROW))
  return rows
}

/** @returns {Generator<[number, Buffer]>} */
function* read(wasm) {
  for (let at = HEADER; at < wasm.length;) {
    const id = wasm[at]
    const [size, from] = number(wasm, at + 1)
    at = from + size
    yield [id, wasm.subarray(from, at)]
  }
}

/** How many functions are imported; the numbers of the others follow. */
function importedFunctions(section) {
  let [count, at] = number(section, 0)
  for (let i = 0; i < count; i++) {
    for (const _ of ['module', 'member']) {
      const [length, from] = number(section, at)
      at = from + length
    }
    if (section[at] !== 0) throw new Error('order.mjs: something else than a function is imported')
    at = number(section, at + 1)[1]
  }
  return count
}

function bodies(section) {
  const found = []
  let [count, at] = number(section, 0)
  while (count--) {
    const [size, from] = number(section, at)
    at = from + size
    found.push(section.subarray(from, at))
  }
  return found
}

/** A number (LEB128), and the position after it. */
function number(bytes, at) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value |= (byte & 127) << shift
    if (byte < 128) return [value, at]
  }
}

function leb(value) {
  const bytes = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  return [...bytes, value]
}

const text = (ascii) => [...leb(ascii.length), ...Buffer.from(ascii)]
