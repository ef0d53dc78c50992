// Turns what wasm-bindgen generates for the web into a function that makes an instance. As generated, the module needs a
// TextDecoder when it is imported (a server or a test environment may have none), cannot make another instance where the
// first has trapped, and brings three loaders of its own.

/** What `#core` stands for in the bundle: see src/built.d.ts. */
export function glue(generated) {
  const body = before(generated, 'async function __wbg_load(')
  const imports = body.match(/^import .*$/gm) ?? []
  const code = body
    .replace(/^import .*$/gm, '')
    .replace(/^export (?=class|function|const)/gm, '')
  // They are written as if from generated/, and are bundled as if from src/.
  return `${imports.join('\n').replaceAll('./snippets/', '../generated/snippets/')}
import { guard } from './guard.js'
export async function instantiate(module, trapped) {
${once(code, 'wasm = instance.exports;', 'wasm = guard(instance.exports, trapped);')}
  __wbg_finalize_init(await WebAssembly.instantiate(module, __wbg_get_imports()), module)
  return Core
}
`
}

/** Gives the imports and exports, whose names hold hashes, the short names that `renamed`, from wasm-opt, has for them. */
export function rename(generated, { imports, exports }) {
  let code = once(generated, '"./core_bg.js": import0', 'a: import0')
  for (const [module, name, short] of imports) {
    if (module === './core_bg.js') code = once(code, `        ${name}: function(`, `${short}: function(`)
    else code = once(code, 'const import0 = {', `const import0 = {\n        ${short}: ${namespace(module)}.${name},`)
  }
  // Modules of the crate's own, whose functions are among the others now.
  code = code.replace(/^ {8}"\.\/snippets\/.*: import\d+,$/gm, '')
  const short = new Map(exports)
  return code.replace(/\bwasm\.(\w+)/g, (_, name) => {
    if (!short.has(name)) throw new Error(`glue.mjs: the WebAssembly does not export ${name}`)
    return `wasm.${short.get(name)}`
  })

  function namespace(module) {
    const found = generated.match(new RegExp(`^import \\* as (import\\d+) from "${module}"`, 'm'))
    if (!found) throw new Error(`glue.mjs does not fit this wasm-bindgen: ${module}`)
    return found[1]
  }
}

function before(text, mark) {
  return text.slice(0, position(text, mark))
}

function once(text, mark, replacement) {
  const at = position(text, mark)
  return text.slice(0, at) + replacement + text.slice(at + mark.length)
}

function position(text, mark) {
  const at = text.indexOf(mark)
  if (at < 0 || text.includes(mark, at + 1)) throw new Error(`glue.mjs does not fit this wasm-bindgen: ${mark}`)
  return at
}
