/**
 * `npm run imports`: checks who imports whom (docs/architecture.md), so that "money lives only in
 * TigerBeetle" and the direction routes -> flows -> {accounting, db} hold by more than good will.
 */
import { glob, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** A package that only some files may import. */
const packageRules = [
  { package: /^tigerbeetle-node$/, in: /^(accounting|scripts\/bench|test)\// },
  { package: /^(kysely|pg)$/, in: /^(db|scripts\/bench|test)\// },
  {
    package: /^(koa|koa-.*|@koa\/.*|co-body)$/,
    in: /^(server\/app\.ts$|server\/http\/|server\/routes\/|scripts\/bench\/)/,
  },
  { package: /^uvu$/, in: /^test\/lib\/suite\.ts$/ },
]

/** What files of `from` must not import; with `types`, only as values. */
const layerRules = [
  { from: /^accounting\//, not: /^(?!accounting\/)/ },
  { from: /^db\//, not: /^(?!db\/)/ },
  { from: /^embedded\//, not: /^(?!embedded\/)/ },
  { from: /^web\//, not: /^(?!web\/)/ },
  { from: /^server\//, not: /^(web|scripts)\// },
  {
    from: /^server\/(evidence|flows|reconciliation|statements)\//,
    not: /^server\/(http|routes|jobs|app\.ts|main\.ts)/,
  },
  // The chart's names of currencies and kinds are vocabulary; what acts on money goes through flows.
  // The one table from errors to HTTP knows the errors of all.
  {
    from: /^server\/(routes|http)\/(?!errors\.ts)/,
    not: /^(accounting\/(?!chart\.ts)|db\/)/,
    types: true,
  },
  { from: /^(?!test\/)/, not: /^test\// },
  { from: /^(?!embedded\/|test\/|scripts\/with-servers\.ts)/, not: /^embedded\// },
]

const readsEnvironment = /^(server\/config\.ts$|scripts\/|test\/)/
/** Finds the package of the platform by name. */
const importsByExpression = /^embedded\/postgres\.ts$/

const folders = ['accounting', 'db', 'embedded', 'scripts', 'server', 'test', 'web']

interface Import {
  line: number
  specifier: string
  typeOnly: boolean
}

/**
 * What breaks a rule in one file, a line each. `path` is relative to the project, with slashes.
 */
export function checkFile(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const problems: string[] = []
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const visit = (node: ts.Node): void => {
    const found = importOf(node)
    if (found === 'unknown' && !importsByExpression.test(path)) {
      problems.push(`${path}:${lineOf(node)} imports what cannot be known before it runs`)
    } else if (found && found !== 'unknown') {
      problems.push(...checkImport(path, { ...found, line: lineOf(node) }))
    }
    if (isEnvironment(node) && !readsEnvironment.test(path)) {
      problems.push(`${path}:${lineOf(node)} reads the environment: server/config.ts does that`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return problems
}

function checkImport(path: string, { specifier, typeOnly, line }: Import): string[] {
  const place = `${path}:${line} must not import ${specifier}`
  if (!specifier.startsWith('.')) {
    if (specifier.startsWith('node:')) return []
    if (builtinModules.includes(specifier)) return [`${place}: write node:${specifier}`]
    const name = packageName(specifier)
    const broken = packageRules.some((rule) => rule.package.test(name) && !rule.in.test(path))
    return broken ? [place] : []
  }
  const target = posix.join(posix.dirname(path), specifier)
  const broken = layerRules.some(
    (rule) => rule.from.test(path) && rule.not.test(target) && !(rule.types && typeOnly),
  )
  return broken ? [place] : []
}

/** `@scope/name` of `@scope/name/file`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The module that a node imports, in whichever way; 'unknown' when it is computed. */
function importOf(node: ts.Node): Omit<Import, 'line'> | 'unknown' | undefined {
  if (ts.isImportDeclaration(node)) {
    return literal(node.moduleSpecifier, isTypeImport(node.importClause))
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return literal(node.moduleSpecifier, node.isTypeOnly)
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return literal(node.argument.literal, true)
  }
  if (!ts.isCallExpression(node)) return undefined
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  const [argument] = node.arguments
  return (isImport || isRequire) && argument ? literal(argument, false) : undefined
}

function literal(node: ts.Node, typeOnly: boolean): Omit<Import, 'line'> | 'unknown' {
  return ts.isStringLiteralLike(node) ? { specifier: node.text, typeOnly } : 'unknown'
}

/** `import type { A }`, or each name with a `type` of its own. */
function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  if (clause.name || !names || !ts.isNamedImports(names)) return false
  return names.elements.every((element) => element.isTypeOnly)
}

/** `process.env` in any spelling, also taken out of `process` or imported from node:process. */
function isEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node))
    return node.name.text === 'env' && isProcess(node.expression)
  if (ts.isElementAccessExpression(node)) {
    const key = node.argumentExpression
    return ts.isStringLiteralLike(key) && key.text === 'env' && isProcess(node.expression)
  }
  if (ts.isBindingElement(node)) {
    const declaration = node.parent.parent
    const name = (node.propertyName ?? node.name).getText()
    const from = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined
    return name === 'env' && from !== undefined && isProcess(from)
  }
  if (ts.isImportSpecifier(node)) {
    const { moduleSpecifier } = node.parent.parent.parent
    const name = (node.propertyName ?? node.name).text
    return (
      name === 'env' &&
      ts.isStringLiteral(moduleSpecifier) &&
      moduleSpecifier.text === 'node:process'
    )
  }
  return false
}

function isProcess(node: ts.Expression): boolean {
  return /(^|\.)process$/.test(node.getText())
}

/** What breaks a rule in the whole project. */
export async function checkProject(root: string): Promise<{ files: number; problems: string[] }> {
  const problems: string[] = []
  let files = 0
  for await (const path of glob(`{${folders.join(',')}}/**/*.{ts,mts,js,mjs}`, { cwd: root })) {
    files += 1
    problems.push(...checkFile(path, await readFile(posix.join(root, path), 'utf8')))
  }
  return { files, problems: problems.sort() }
}

if (import.meta.main) {
  const { files, problems } = await checkProject(fileURLToPath(new URL('..', import.meta.url)))
  for (const problem of problems) console.error(problem)
  console.log(`${files} files checked, ${problems.length} imports or reads against the rules`)
  process.exitCode = problems.length === 0 && files > 0 ? 0 : 1
}
