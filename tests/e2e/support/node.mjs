// A Node for programs that need a newer one than the tests.

import { existsSync } from 'node:fs'

const numbers = (version) => version.split('.').map(Number)

/** Whether a version is `oldest` or newer, compared by numbers: as text 22.9 comes after 22.22. */
function isSince(version, oldest) {
  const [found, wanted] = [numbers(version), numbers(oldest)]
  const at = wanted.findIndex((number, n) => number !== found[n])
  return at < 0 || found[at] > wanted[at]
}

/** Each of `oldest` is the oldest suitable version of its major version; the last one also admits all later major versions. */
export function suits(version, oldest) {
  const [major] = numbers(version)
  return isSince(version, oldest.at(-1)) || oldest.some((one) => numbers(one)[0] === major && isSince(version, one))
}

/** This Node, or the one that npm has installed in `packages`. */
export function newEnoughNode(packages, ...oldest) {
  if (suits(process.versions.node, oldest)) return process.execPath
  const program = `${packages}node-${process.platform}-${process.arch}/bin/node`
  if (!existsSync(program))
    throw new Error(`install Node ${oldest.join(', ')} or newer (https://nodejs.org): this is ${process.version}`)
  return program
}
