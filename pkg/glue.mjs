// Turns wasm-bindgen's output for the web into a function that makes an instance. The generated module itself needs a TextDecoder at import
// time (a server or a test environment may have none), cannot make another instance after the first has trapped, and contains three
// loaders.

/** The replacement of `#core` in the bundle: see src/built.d.ts. */
export function glue(generated) {
  const body = before(generated, 'async function __wbg_load(')
  const imports = body.match(/^import .*$/gm) ?? []
  const code = body.replace(/^import .*$/gm, '').replace(/^export (?=class|function|const)/gm, '')
  // The imports are written as if from generated/, but are bundled as if from src/.
  return `${imports.join('\n').replaceAll('./snippets/', '../generated/snippets/')}
import { guard } from './guard.js'
export function instantiate(module, trapped) {
${once(code, 'wasm = instance.exports;', 'wasm = guard(instance.exports, trapped);')}
  return WebAssembly.instantiate(module, __wbg_get_imports()).then((instance) => {
    __wbg_finalize_init(instance, module)
    return Core
  })
}
`
}

/** Gives the imports and exports, whose names contain hashes, the short names from wasm-opt (`renamed`). */
export function rename(generated, { imports, exports }) {
  let code = once(generated, '"./core_bg.js": import0', 'a: import0')
  for (const [module, name, short] of imports) {
    if (module === './core_bg.js') code = once(code, `        ${name}: `, `${short}: `)
    else code = once(code, 'const import0 = {', `const import0 = {\n        ${short}: ${namespace(module)}.${name},`)
  }
  // The crate's own JavaScript modules, whose functions are now listed among the others.
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

/** Removes code that no supported platform needs, and merges repeated glue code into one function. */
export function slim(generated) {
  let code = generated
  // All platforms have `encodeInto`, and texts here are short: one way to pass them is enough.
  code = replaceFrom(code, "if (!('encodeInto' in cachedTextEncoder))", 'let WASM_VECTOR_LEN', '')
  code = replaceFrom(code, 'function passStringToWasm0(', 'function takeFromExternrefTable0(', PASS_STRING)
  code = code.replaceAll(/, wasm\.__wbindgen_malloc, wasm\.__wbindgen_realloc\)/g, ')')
  // Some Safaris decode at most two gigabytes with one decoder. A manager never receives that much.
  code = replaceFrom(code, 'const MAX_SAFARI_DECODE_BYTES', 'const cachedTextEncoder', DECODE_TEXT)
  code = replaceFrom(code, 'let cachedDataViewMemory0', 'function getStringFromWasm0(', DATA_VIEW)
  code = replaceFrom(code, 'function addToExternrefTable0(', 'const CLOSURE_DTORS', ADD_VALUE)
  code = replaceFrom(code, 'function getStringFromWasm0(', 'let cachedUint8ArrayMemory0', READ_TEXT)
  code = every(code, GIVES_STRING, 'giveString(arg0, ret);')
  // The functions themselves handle a missing text or value.
  code = every(code, /isLikeNone\((\w+)\) \? 0 : (?=\w+\(\1\))/g, '')
  code = every(code, /\w+ === 0 \? undefined : (?=getStringFromWasm0\()/g, '')
  // Passing a text fails only when the core has died, and then its memory need not be freed.
  code = every(
    code,
    /try \{((?:\s+\w+ = (?:passStringToWasm0\(\w+\)|WASM_VECTOR_LEN);)+)\s+\} catch \(e\) \{.*?throw e;\s+\}/gs,
    '$1',
  )
  code = every(code, /: function\(\) \{ return handleError\(function \((.*)\) \{/g, ': caught(($1) => {')
  code = every(code, '}, arguments); },', '}),')
  code = replaceFrom(code, 'function handleError(', 'function isLikeNone(', CAUGHT)
  code = every(code, /(?<=^ {8}\w+: )function(\(.*\)) \{$/gm, '$1 => {')
  // The manager has its own `dispose`.
  return every(code, /^if \(Symbol\.dispose\) Core\..*$/gm, '')
}

const PASS_STRING = `function passStringToWasm0(arg) {
    if (isLikeNone(arg)) return WASM_VECTOR_LEN = 0;
    const bytes = cachedTextEncoder.encode(arg);
    const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN = bytes.length, 1) >>> 0;
    getUint8ArrayMemory0().set(bytes, ptr);
    return ptr;
}

function giveString(to, text) {
    const ptr = passStringToWasm0(text);
    const view = getDataViewMemory0();
    view.setInt32((to >>> 0) + 4, WASM_VECTOR_LEN, true);
    view.setInt32(to >>> 0, ptr, true);
}

`
const READ_TEXT = `function getStringFromWasm0(ptr, len) {
    return ptr ? decodeText(getUint8ArrayMemory0().subarray(ptr >>> 0, (ptr >>> 0) + len)) : undefined;
}

`
/** A function for Rust that may throw. */
const CAUGHT = `function caught(work) {
    return (...args) => {
        try {
            return work(...args);
        } catch (e) {
            wasm.__wbindgen_exn_store(addValue(e));
        }
    };
}

`
// The first place of the table always holds undefined. Anything can be thrown, also null.
const ADD_VALUE = `function addToExternrefTable0(obj) {
    if (isLikeNone(obj)) return 0;
    return addValue(obj);
}

function addValue(obj) {
    const idx = wasm.__externref_table_alloc();
    wasm.__wbindgen_externrefs.set(idx, obj);
    return idx;
}

`
const DECODE_TEXT = `function decodeText(bytes) {
    return cachedTextDecoder.decode(bytes);
}

`
// When a memory grows, its old buffer becomes empty. Asking the memory each time would call a patched `buffer` getter.
const DATA_VIEW = `let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
    if (!cachedDataViewMemory0?.buffer.byteLength) cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    return cachedDataViewMemory0;
}

`
/** The code with which an imported JavaScript function returns a text, or none. */
const GIVES_STRING = new RegExp(
  [
    String.raw`(?:const|var) ptr(\d) = (?:isLikeNone\(ret\) \? 0 : )?passStringToWasm0\(ret\);`,
    String.raw`(?:const|var) len\1 = WASM_VECTOR_LEN;`,
    String.raw`getDataViewMemory0\(\)\.setInt32\(\(arg0 >>> 0\) \+ 4 \* 1, len\1, true\);`,
    String.raw`getDataViewMemory0\(\)\.setInt32\(\(arg0 >>> 0\) \+ 4 \* 0, ptr\1, true\);`,
  ].join(String.raw`\s+`),
  'g',
)

/** Replaces all matches, of which there is at least one. */
function every(text, pattern, replacement) {
  const replaced = text.replaceAll(pattern, replacement)
  if (replaced === text) throw new Error(`glue.mjs does not fit this wasm-bindgen: ${pattern}`)
  return replaced
}

/** Replaces everything from one mark up to the next. */
function replaceFrom(text, from, to, replacement) {
  const start = position(text, from)
  const end = text.indexOf(to, start)
  if (end < 0) throw new Error(`glue.mjs does not fit this wasm-bindgen: ${to}`)
  return text.slice(0, start) + replacement + text.slice(end)
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
