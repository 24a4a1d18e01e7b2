/** Reads the texts of a PDF as pdfkit writes it, in the order in which they were drawn. */
import { inflateSync } from 'node:zlib'

/** The texts of each page. */
export function readPdf(file: Buffer): string[][] {
  const objects = new Map(
    [...file.toString('latin1').matchAll(/(?:^|\n)(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(
      ([, id = '', body = '']) => [id, body],
    ),
  )
  const fonts = readFonts(objects)
  const pages = [...objects.values()].filter((body) => /\/Type \/Page\n/.test(body))
  return pages.map((page) => {
    const contents = /\/Contents (\d+) 0 R/.exec(page)?.[1] ?? ''
    return readTexts(readStream(objects.get(contents) ?? ''), fonts)
  })
}

/** What each glyph of each font stands for, by the font's name. */
function readFonts(objects: ReadonlyMap<string, string>): Map<string, Map<string, string>> {
  const fonts = new Map<string, Map<string, string>>()
  for (const body of objects.values()) {
    for (const [, name = '', id = ''] of body.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const unicode = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id) ?? '')?.[1]
      if (unicode) fonts.set(name, readUnicode(readStream(objects.get(unicode) ?? '')))
    }
  }
  return fonts
}

/** A ToUnicode map: ranges of glyphs, each with a list of what they stand for in UTF-16. */
function readUnicode(cmap: string): Map<string, string> {
  const glyphs = new Map<string, string>()
  for (const [, first = '', list = ''] of cmap.matchAll(/<(\w+)> <\w+> \[([^\]]*)\]/g)) {
    for (const [index, item] of (list.match(/<[^>]*>/g) ?? []).entries()) {
      const glyph = (Number.parseInt(first, 16) + index).toString(16).padStart(4, '0')
      const units = item.match(/[0-9a-f]{4}/gi) ?? []
      const text = String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16)))
      glyphs.set(glyph, text)
    }
  }
  return glyphs
}

function readStream(body: string): string {
  const start = body.indexOf('stream\n') + 'stream\n'.length
  const bytes = Buffer.from(body.slice(start, body.lastIndexOf('\nendstream')), 'latin1')
  return inflateSync(bytes).toString('latin1')
}

function readTexts(content: string, fonts: ReadonlyMap<string, Map<string, string>>): string[] {
  return content
    .split('BT\n')
    .slice(1)
    .map((block) => {
      const glyphs = fonts.get(/\/(F\d+) /.exec(block)?.[1] ?? '')
      const codes = [...block.matchAll(/<([0-9a-f]+)>/g)].flatMap(
        ([, hex = '']) => hex.match(/.{4}/g) ?? [],
      )
      return codes.map((code) => glyphs?.get(code) ?? '?').join('')
    })
}
