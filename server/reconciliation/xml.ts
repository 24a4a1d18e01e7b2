/** XML as a tree of elements, each with the line where it begins. What could expand is refused. */
import { type X2jOptions, XMLParser, XMLValidator } from 'fast-xml-parser'
import { type Fail, failIn, quote, StatementError, type StatementFile } from './statement.ts'

export interface Element {
  /** Without the prefix of its namespace. */
  name: string
  attributes: Readonly<Record<string, string>>
  children: readonly Element[]
  /** The text of an element that has no children, without blanks around it. */
  text: string
  fileLine: number
}

/** A file of which a part is kept as text: a tree of all its elements would need many times the memory. */
export interface XmlFile {
  root: Element
  /** Elements that were left unread, siblings in their order, with all that is in them: some at a time. */
  readInside(elements: readonly Element[]): Iterable<Element>
}

/** So many elements that were left unread are read together: each by itself would take longer. */
const readTogether = 100

/** Elements of a tree that is read at once. */
const elementsMax = 100_000

const options: X2jOptions = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  captureMetaData: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: '#cdata',
  maxNestedTags: 64,
  jPath: false,
  transformTagName: (name) => name.replace(/^[^:]*:/, ''),
}
/** Under this the parser tells where an element begins and ends. */
const position = XMLParser.getMetaDataSymbol() as unknown as symbol

/** What the parser makes of an element or a text: one key names it, or says that it is text. */
type Node = Record<string, Node[] | string | Record<string, string>>
type Positioned = Record<symbol, { startIndex?: number; endIndex?: number } | undefined>

/**
 * The root element of a file; elements of one name have nothing in them until `readInside` reads them.
 * Throws StatementError for what is not well-formed, and for a DOCTYPE.
 */
export function parseXml(file: StatementFile, unread: string): XmlFile {
  const fail = failIn(file)
  // The parser does the same before it counts.
  const text = file.text.replace(/\r\n?/g, '\n')
  const lineAt = createLineIndex(text)
  const docType = text.search(/<!DOCTYPE/i)
  if (docType >= 0) throw fail(lineAt(docType), 'a document type is not taken')
  const checked = XMLValidator.validate(text)
  if (checked !== true) throw fail(checked.err.line, `this is not XML: ${checked.err.msg}`)
  const spans = new WeakMap<Element, { start: number; end: number }>()

  function readPart(start: number, end: number, stopNodes: string[]): Element[] {
    const nodes = readNodes(text.slice(start, end), stopNodes, (problem) =>
      fail(start === 0 ? undefined : lineAt(start), problem),
    )
    return nodes.flatMap((node) => toElement(node, start) ?? [])
  }

  function toElement(node: Node, offset: number): Element | undefined {
    const name = Object.keys(node).find((key) => key !== ':@')
    if (name === undefined || name === '#text' || name === '#cdata') return undefined
    const inner = node[name] as Node[]
    const { startIndex = 0, endIndex = 0 } = (node as unknown as Positioned)[position] ?? {}
    const fileLine = lineAt(offset + startIndex)
    const attributes = Object.entries((node[':@'] ?? {}) as Record<string, string>)
    const isUnread = name === unread && offset === 0
    const children = isUnread ? [] : inner.flatMap((child) => toElement(child, offset) ?? [])
    const element = {
      name,
      attributes: Object.fromEntries(
        attributes.map(([key, value]) => [key, decode(value, fileLine, fail)]),
      ),
      children,
      text: isUnread || children.length > 0 ? '' : textOf(inner, fileLine, fail),
      fileLine,
    }
    if (isUnread) spans.set(element, { start: startIndex, end: endIndex })
    return element
  }

  const [root, ...others] = readPart(0, text.length, [`..${unread}`])
  if (!root || others.length > 0) throw fail(others[0]?.fileLine, 'XML has one root element')

  function* readInside(elements: readonly Element[]): Generator<Element, void> {
    for (let index = 0; index < elements.length; index += readTogether) {
      const some = elements.slice(index, index + readTogether).map((it) => spans.get(it))
      const [first, last] = [some[0], some.at(-1)]
      if (!first || !last) throw new Error('this was read before')
      // There may be others between them.
      yield* readPart(first.start, last.end, []).filter(({ name }) => name === unread)
    }
  }

  return { root, readInside }
}

function readNodes(
  text: string,
  stopNodes: string[],
  refuse: (problem: string) => StatementError,
): Node[] {
  let count = 0
  const updateTag = (name: string): string => {
    count += 1
    if (count > elementsMax) throw refuse(`more than ${elementsMax} elements`)
    return name
  }
  try {
    return new XMLParser({ ...options, stopNodes, updateTag }).parse(text)
  } catch (error) {
    if (error instanceof StatementError) throw error
    // The parser has no class of errors of its own.
    throw refuse(`this is not XML: ${error instanceof Error ? error.message : error}`)
  }
}

function textOf(nodes: readonly Node[], fileLine: number, fail: Fail): string {
  const parts = nodes.map((node) => {
    if (typeof node['#text'] === 'string') return decode(node['#text'], fileLine, fail)
    // In between there are no references.
    return ((node['#cdata'] ?? []) as Node[]).map((part) => String(part['#text'] ?? '')).join('')
  })
  return parts.join('').trim()
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** Puts characters in place of references to them: the five that XML has, and numbers. */
function decode(text: string, fileLine: number, fail: Fail): string {
  return text.replace(/&([^;&]{0,12});?/g, (reference, name: string) => {
    const [, hex, digits] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? []
    const code = hex ? Number.parseInt(hex, 16) : digits ? Number(digits) : undefined
    const character =
      code === undefined
        ? Object.hasOwn(entities, name) && entities[name]
        : code > 0 && code <= 0x10ffff && String.fromCodePoint(code)
    if (reference.endsWith(';') && character) return character
    throw fail(fileLine, `${quote(reference)} stands for no character`)
  })
}

/** Tells the line, from 1, of an index into a text. */
function createLineIndex(text: string): (index: number) => number {
  const ends: number[] = []
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) ends.push(end)
  return (index) => {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ends[middle]! < index) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

/** The elements at a path of names below an element, in the order of the file. */
export function findAll(element: Element, ...path: readonly string[]): Element[] {
  let found: readonly Element[] = [element]
  for (const name of path) {
    found = found.flatMap(({ children }) => children.filter((child) => child.name === name))
  }
  return [...found]
}

/** The first of them. */
export const find = (element: Element, ...path: readonly string[]): Element | undefined =>
  findAll(element, ...path)[0]

/** The text of the first of them; undefined when it is missing or empty. */
export const textAt = (element: Element, ...path: readonly string[]): string | undefined =>
  find(element, ...path)?.text || undefined
