// Marks the functions of a module so that V8 compiles them together with the module, in the background. It would otherwise compile each
// function on the page's main thread when it is first called, which is a quarter of the work until the first response.
//
// V8 takes an arrow function that follows a parenthesis for one that is called at once, and so compiles it early. Minifiers remove
// parentheses that they can do without, so each function becomes `early && (() => …)`: JavaScript's grammar demands them there. Async
// functions, and those with their own `this` or `arguments`, stay as they are: V8 does not recognise the one, and no grammar protects the other.

/** True in the marked module. The value is one that no minifier knows, and no script of the page can change it later. */
const EARLY = { type: 'Identifier', name: 'isCompiledEarly' }
const DEFINITION = {
  type: 'VariableDeclaration',
  kind: 'const',
  declarations: [
    {
      type: 'VariableDeclarator',
      id: EARLY,
      init: {
        type: 'MemberExpression',
        object: { type: 'Identifier', name: 'Symbol' },
        property: { type: 'Identifier', name: 'iterator' },
      },
    },
  ],
}

/** Marks the functions of a module, given as its syntax tree (ESTree). Changes the tree. */
export function eager(tree) {
  visit(tree)
  tree.body.unshift(DEFINITION)
  return tree
}

function visit(node) {
  for (const [key, value] of Object.entries(node)) {
    if (Array.isArray(value)) value.forEach((child, i) => isNode(child) && (value[i] = replaced(child, node, key)))
    else if (isNode(value)) node[key] = replaced(value, node, key)
  }
  if (node.type === 'Program') node.body = hoisted(node.body)
  else if (/Function/.test(node.type) && node.body.type === 'BlockStatement') node.body.body = hoisted(node.body.body)
}

function replaced(node, parent, key) {
  visit(node)
  if (!/^(Function|ArrowFunction)Expression$/.test(node.type) || !canBeMarked(node)) return node
  // V8 compiles a function early that is called where it stands.
  if (key === 'callee' || parent.kind === 'get' || parent.kind === 'set' || parent.type === 'MethodDefinition')
    return node
  parent.method &&= false
  return marked(node)
}

/**
 * Declared functions are available from the start of the function around them. So are these variables, except in the constants before them. (The
 * WebAssembly is such a constant. The functions stay behind it, because it would keep gzip from seeing how like they are to the rest.)
 */
function hoisted(statements) {
  const isReplaced = (node) => node.type === 'FunctionDeclaration' && canBeMarked(node)
  const declarations = statements
    .filter(isReplaced)
    .map((node) => ({ type: 'VariableDeclarator', id: node.id, init: marked(node) }))
  if (!declarations.length) return statements
  const others = statements.filter((statement) => !isReplaced(statement))
  const at = others.findIndex((statement) => !isConstant(statement))
  others.splice(at < 0 ? others.length : at, 0, { type: 'VariableDeclaration', kind: 'var', declarations })
  return others
}

const isConstant = ({ declarations }) => declarations?.every(({ init }) => !init || init.type === 'Literal')

/** Whether an arrow function can take this function's place. */
function canBeMarked(node) {
  // A function expression has a name only if it calls itself by it.
  const isNamed = node.type === 'FunctionExpression' && node.id
  return !node.async && !node.generator && !isNamed && (node.type === 'ArrowFunctionExpression' || !hasOwnThis(node))
}

const marked = (node) => ({ type: 'LogicalExpression', operator: '&&', left: EARLY, right: arrow(node) })

function arrow(node) {
  if (node.type === 'ArrowFunctionExpression') return node
  const [first, second] = node.body.body
  const isExpression = first?.type === 'ReturnStatement' && !second && first.argument
  return {
    ...node,
    type: 'ArrowFunctionExpression',
    id: null,
    expression: !!isExpression,
    body: isExpression ? first.argument : node.body,
  }
}

/** Whether a function uses its own `this`, `super`, `new.target` or `arguments`. */
function hasOwnThis(node) {
  return Object.values(node)
    .flat()
    .filter(isNode)
    .some(
      (child) =>
        /^(ThisExpression|Super|MetaProperty)$/.test(child.type) ||
        (child.type === 'Identifier' && child.name === 'arguments') ||
        (!/^(FunctionExpression|FunctionDeclaration)$/.test(child.type) && hasOwnThis(child)),
    )
}

const isNode = (value) => typeof value?.type === 'string'
