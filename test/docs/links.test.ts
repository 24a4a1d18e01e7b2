import { access, glob } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readDocument } from '../lib/examples.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('links of documents')
const root = new URL('../../', import.meta.url)

test('every file and heading that a document links to exists', async () => {
  const documents = ['README.md', 'CHANGELOG.md']
  for await (const path of glob('docs/*.md', { cwd: fileURLToPath(root) })) documents.push(path)
  assert.ok(documents.length > 5)
  for (const path of documents) {
    const text = await readDocument(path)
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const where = `${path} links to ${target}`
      const url = new URL(target, new URL(path, root))
      const anchor = url.hash.slice(1)
      url.hash = ''
      await access(url).catch(() => assert.unreachable(where))
      if (anchor === '') continue
      const linked = await readDocument(fileURLToPath(url).slice(fileURLToPath(root).length))
      assert.ok(anchorsOf(linked).includes(anchor), where)
    }
  }
})

/** The anchors that GitHub gives to headings. */
function anchorsOf(document: string): string[] {
  return [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.run()
