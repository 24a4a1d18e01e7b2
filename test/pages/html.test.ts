import { html } from '../../server/pages/html.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('html template')

test('escapes text, in content and in attributes', () => {
  const text = `<script>alert("1" + '2')</script> & so on`
  const escaped = '&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt; &amp; so on'
  assert.is(html`<p title="${text}">${text}</p>`.text, `<p title="${escaped}">${escaped}</p>`)
})

test('puts HTML in as it is, lists one after the other, and nothing for what is not there', () => {
  const items = ['a', '<'].map((item) => html`<li>${item}</li>`)
  assert.is(html`<ul>${items}</ul>`.text, '<ul><li>a</li><li>&lt;</li></ul>')
  assert.is(html`${undefined}${null}${false}${0}${''}`.text, '0')
})

test.run()
