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
  return `${imports.join('\n')}
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
    if (module !== './core_bg.js') throw new Error(`glue.mjs knows no imports from ${module}`)
    code = once(code, `        ${name}: function(`, `${short}: function(`)
  }
  const short = new Map(exports)
  return code.replace(/\bwasm\.(\w+)/g, (_, name) => {
    if (!short.has(name)) throw new Error(`glue.mjs: the WebAssembly does not export ${name}`)
    return `wasm.${short.get(name)}`
  })
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
