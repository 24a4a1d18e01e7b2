/**
 * Fonts that can show any name: DejaVu Sans for most alphabets, and for texts with characters that it
 * lacks (Chinese, Japanese, Korean, Indic, emoji...) UnifontEX, which has a glyph for each but draws them
 * as bitmaps, without joining Indic letters.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'

export interface PdfFonts {
  regular: Buffer
  bold: Buffer
  /** Whether these two have a glyph for each character of a text. */
  cover(text: string): boolean
}

let loading: Promise<PdfFonts> | undefined
let loadingUniversal: Promise<Buffer> | undefined

/** The fonts of most texts, read once in a process. */
export function loadFonts(): Promise<PdfFonts> {
  loading ??= readFonts()
  return loading
}

/** The font that has every character; 14 MB, read when it is first needed. */
export function loadUniversalFont(): Promise<Buffer> {
  loadingUniversal ??= readFontFile(
    '@fontsource/unifontex/files/unifontex-latin-400-normal.woff',
  ).then(toSfnt)
  return loadingUniversal
}

async function readFonts(): Promise<PdfFonts> {
  const [{ create }, regular, bold] = await Promise.all([
    import('fontkit'),
    readFontFile('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    readFontFile('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
  ])
  const font = create(regular)
  if (!('hasGlyphForCodePoint' in font)) throw new Error('the font file has several fonts')
  const has = (character: string) => font.hasGlyphForCodePoint(character.codePointAt(0)!)
  return { regular, bold, cover: (text) => Array.from(text).every(has) }
}

function readFontFile(name: string): Promise<Buffer> {
  return readFile(fileURLToPath(import.meta.resolve(name)))
}

const inflateAsync = promisify(inflate)

/**
 * A WOFF 1.0 font as the SFNT file that it was made of (https://www.w3.org/TR/WOFF/). fontkit reads WOFF too,
 * but inflates it in JavaScript, which takes seconds for a font of this size.
 */
async function toSfnt(woff: Buffer): Promise<Buffer> {
  const [headerBytes, entryBytes, sfntHeaderBytes, sfntEntryBytes] = [44, 20, 12, 16]
  const count = woff.readUInt16BE(12)
  const directory = Buffer.alloc(sfntHeaderBytes + sfntEntryBytes * count)
  woff.copy(directory, 0, 4, 8)
  directory.writeUInt16BE(count, 4)
  const parts: Buffer[] = [directory]
  let offset = directory.length
  for (let table = 0; table < count; table += 1) {
    const entry = headerBytes + entryBytes * table
    const start = woff.readUInt32BE(entry + 4)
    const stored = woff.subarray(start, start + woff.readUInt32BE(entry + 8))
    const length = woff.readUInt32BE(entry + 12)
    const data = stored.length < length ? await inflateAsync(stored) : stored
    const at = sfntHeaderBytes + sfntEntryBytes * table
    woff.copy(directory, at, entry, entry + 4)
    woff.copy(directory, at + 4, entry + 16, entry + 20)
    directory.writeUInt32BE(offset, at + 8)
    directory.writeUInt32BE(length, at + 12)
    const padding = Buffer.alloc((4 - (length % 4)) % 4)
    parts.push(data, padding)
    offset += length + padding.length
  }
  return Buffer.concat(parts)
}
