import { setFee } from '../lib/fees.ts'
import type { Client, Reply } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, defaultPassword, must, type Person, type World } from '../lib/world.ts'

const test = suite('pages')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

const submit = (client: Client, path: string, form: Record<string, string>) =>
  client.send('POST', path, { form, headers: { 'sec-fetch-site': 'same-origin' } })

const inputValue = ({ text }: Reply, name: string) =>
  new RegExp(`name="${name}"[^>]*?value="([^"]*)"`).exec(text)?.[1]

/** A customer with 100 dollars. */
async function richPerson(username: string): Promise<Person> {
  const person = await world.signUp({ username })
  const bank = await world.paymentSystem()
  const deposit = { wallet_id: person.walletId, amount: '100', currency: 'USD' }
  await must(bank.post('/v1/deposits', { ...deposit, reference: username }), 201)
  return person
}

async function balanceOf(person: Person): Promise<string> {
  const wallet = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
  return wallet.balance.available
}

test('someone signs up, looks, signs out and in again by forms alone', async () => {
  const client = world.client()
  const first = await client.get('/')
  assert.is(first.status, 303)
  assert.is(first.headers.location, '/login')
  assert.is((await client.get('/signup')).status, 200)

  const form = {
    name: 'Ada <b>',
    email: 'ada@example.com',
    username: 'Ada',
    password: 'lovelace 1843',
  }
  const signedUp = await submit(client, '/signup', form)
  assert.is(signedUp.status, 303)
  assert.is(signedUp.headers.location, '/')
  const home = await client.get('/')
  assert.is(home.status, 200)
  assert.match(home.text, /Ada &lt;b&gt;/)
  assert.match(home.text, /<span class="balance">0\.00<\/span>/)
  assert.is((await client.get('/login')).headers.location, '/')

  assert.match((await client.get('/logout')).text, /<button>Sign out<\/button>/)
  assert.is((await client.get('/')).status, 200)
  const signedOut = await submit(client, '/logout', {})
  assert.is(signedOut.headers.location, '/login')
  assert.is((await client.get('/')).headers.location, '/login')

  const { email, password } = form
  assert.is((await submit(client, '/login', { email, password })).headers.location, '/')
  assert.is((await client.get('/')).status, 200)
})

test('a form comes back with its text and what was typed, never with the password', async () => {
  const client = world.client()
  const form = { name: '"Eve"', email: 'eve', username: 'e', password: 'secret' }
  const signUp = await submit(client, '/signup', form)
  assert.is(signUp.status, 422)
  assert.is(inputValue(signUp, 'name'), '&quot;Eve&quot;')
  assert.is(inputValue(signUp, 'email'), 'eve')
  assert.is(inputValue(signUp, 'password'), '')
  assert.match(signUp.text, /role="alert"/)
  assert.match(signUp.text, /must be an e-mail address/)
  assert.not.match(signUp.text, /secret/)

  const weak = { ...form, email: 'eve@example.com', username: '', password: 'password1' }
  assert.match((await submit(client, '/signup', weak)).text, /most common passwords/)
  const { email } = await world.signUp({})
  const taken = await submit(client, '/signup', { ...weak, email, password: defaultPassword })
  assert.is(taken.status, 409)
  assert.match(taken.text, /There is an account with this e-mail\./)

  const login = await submit(client, '/login', { email, password: 'wrong password' })
  assert.is(login.status, 401)
  assert.is(inputValue(login, 'email'), email)
  assert.match(login.text, /The e-mail or the password is wrong\./)
  assert.not.match(login.text, /wrong password/)
})

test('a form to pay pays once, however often it is sent', async () => {
  const payer = await richPerson('payer')
  const payee = await world.signUp({ username: 'payee' })
  const home = await payer.client.get('/')
  const form = {
    key: inputValue(home, 'key') ?? '',
    from: inputValue(home, 'from') ?? '',
    to: 'Payee',
    amount: ' 11.10',
    memo: '<i>lunch</i>',
  }
  assert.match(form.key, /^[0-9a-f-]{36}$/)
  assert.is(form.from, payer.walletNumber)
  const replies = await Promise.all([1, 2, 3].map(() => submit(payer.client, '/pay', form)))
  assert.equal(
    replies.map(({ status }) => status),
    [303, 303, 303],
  )
  assert.is(await balanceOf(payer), '88.90')
  assert.is(await balanceOf(payee), '11.10')

  const repeated = replies.filter(({ headers }) => String(headers.location).includes('again'))
  assert.is(repeated.length, 2)
  const done = await payer.client.get(String(repeated[0]?.headers.location))
  assert.match(done.text, /Paid 11\.10 USD to payee\. The form was sent more than once/)
  assert.match(done.text, /&lt;i&gt;lunch&lt;\/i&gt;/)
  assert.not.match(done.text, /<i>/)
  assert.is.not(inputValue(done, 'key'), form.key)

  const changed = await submit(payer.client, '/pay', { ...form, amount: '12' })
  assert.is(changed.status, 409)
  assert.is.not(inputValue(changed, 'key'), form.key)
  assert.is(await balanceOf(payer), '88.90')
})

test('what a payment has cost is told with it, and in the history', async () => {
  const operator = await world.operator()
  await setFee(operator, 'payment', { fixed: '0.30' })
  const payer = await richPerson('charged')
  await world.signUp({ username: 'dear' })
  const home = await payer.client.get('/')
  const form = { key: inputValue(home, 'key') ?? '', from: payer.walletNumber, memo: '' }
  const poor = await submit(payer.client, '/pay', { ...form, to: 'dear', amount: '99.71' })
  assert.match(poor.text, /100\.01 USD were to be paid with the fee, 100\.00 are available/)
  const key = inputValue(poor, 'key') ?? ''
  const paid = await submit(payer.client, '/pay', { ...form, key, to: 'dear', amount: '10' })
  await setFee(operator, 'payment')
  const done = await payer.client.get(String(paid.headers.location))
  assert.match(done.text, /Paid 10\.00 USD to dear, and a fee of 0\.30 USD\./)
  assert.match(done.text, /<span class="party">Kassa<\/span>\s*<span class="when">fee ·/)
  assert.is(await balanceOf(payer), '89.70')
})

test('a refused payment brings the form back with a new key', async () => {
  const payer = await richPerson('refused')
  const payee = await world.signUp({})
  const table: [Record<string, string>, number, RegExp][] = [
    [{ amount: '1,5' }, 422, /must be a plain decimal number/],
    [{ amount: '1.001' }, 422, /USD has 2 decimals/],
    [{ amount: '' }, 422, /is needed/],
    [{ amount: '100.01' }, 422, /100\.01 USD were to be paid, 100\.00 are available/],
    [{ to: 'nobody.here' }, 422, /There is no such recipient/],
    [
      { to: payee.walletNumber.replace(/\d$/, (d) => String((Number(d) + 1) % 10)) },
      422,
      /typing mistake/,
    ],
    [{ to: payer.walletNumber }, 422, /cannot pay itself/],
    [{ memo: 'm'.repeat(201) }, 422, /check what is marked/],
    [{ key: '' }, 422, /check what is marked/],
  ]
  for (const [fields, status, text] of table) {
    const form = {
      key: 'k',
      from: payer.walletNumber,
      to: payee.walletNumber,
      amount: '1',
      memo: '',
    }
    const sent = { ...form, key: JSON.stringify(fields), ...fields }
    const reply = await submit(payer.client, '/pay', sent)
    assert.is(reply.status, status)
    assert.match(reply.text, text)
    assert.is(inputValue(reply, 'to'), sent.to)
    assert.match(inputValue(reply, 'key') ?? '', /^[0-9a-f-]{36}$/)
  }
  assert.is(await balanceOf(payer), '100.00')
})

test('a recipient is a username, or a wallet number in groups or not', async () => {
  const payer = await richPerson('chooser')
  const payee = await world.signUp({ username: '4000' })
  const { walletNumber: number, walletId } = payee
  const grouped = number.replace(/^(\d{4})(\d{3})/, '$1 $2\u202f')
  for (const to of [number, grouped, walletId, '@4000']) {
    const form = { key: `to ${to}`, from: payer.walletNumber, to, amount: '1', memo: '' }
    assert.is((await submit(payer.client, '/pay', form)).status, 303)
  }
  assert.is(await balanceOf(payee), '4.00')
})

test('another wallet is opened, chosen and shown page by page', async () => {
  const payer = await richPerson('collector')
  const opened = await submit(payer.client, '/wallets', { currency: 'USD' })
  assert.is(opened.status, 303)
  const other = String(opened.headers.location)
  const number = other.replace(/\D/g, '')
  for (let index = 1; index <= 21; index += 1) {
    const form = {
      key: `${index}`,
      from: payer.walletNumber,
      to: number,
      amount: '0.01',
      memo: `no ${index}.`,
    }
    assert.is((await submit(payer.client, '/pay', form)).status, 303)
  }
  const newest = await payer.client.get(other)
  assert.match(newest.text, /no 21\./)
  assert.not.match(newest.text, /no 1\./)
  const older = /href="([^"]*cursor=[^"]*)"/.exec(newest.text)?.[1]?.replaceAll('&amp;', '&')
  assert.match((await payer.client.get(older ?? '')).text, /no 1\./)
  const refused = await submit(payer.client, '/wallets', { currency: 'XXX' })
  assert.is(refused.status, 422)
  assert.match(String(refused.headers['content-type']), /^text\/html/)
})

test('who loads the address of a form again sees the wallets', async () => {
  for (const path of ['/pay', '/wallets']) {
    assert.is((await world.client().get(path)).headers.location, '/')
  }
})

test('pages load nothing from elsewhere, run no script and cannot be framed', async () => {
  const { client } = await world.signUp({})
  for (const path of ['/', '/login', '/signup', '/logout']) {
    const reply = await (path === '/' || path === '/logout' ? client : world.client()).get(path)
    assert.is(reply.status, 200)
    const policy = String(reply.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/)
    assert.not.match(policy, /script-src|unsafe|https?:/)
    assert.not.match(reply.text, /<script|<style| style=| on[a-z]+=/)
    for (const [, address = ''] of reply.text.matchAll(/(?:src|href)="(\/assets[^"]*)"/g)) {
      const asset = await client.get(address)
      assert.is(asset.status, 200)
      assert.match(String(asset.headers['cache-control']), /immutable/)
    }
  }
})

test("another site's form is refused", async () => {
  const { client, email, password } = await world.signUp({})
  for (const path of ['/login', '/signup', '/logout', '/pay', '/wallets']) {
    const headers = { 'sec-fetch-site': 'cross-site' }
    const reply = await client.send('POST', path, { form: { email, password }, headers })
    assert.is(reply.status, 403, path)
  }
  assert.is((await client.get('/')).status, 200)
})

test('who is no customer is told so', async () => {
  const operator = await world.operator()
  assert.match((await operator.get('/')).text, /Only customers have wallets.*href="\/docs"/s)
  const payment = { key: 'k', from: '', to: 'ada', amount: '1', memo: '' }
  assert.is((await submit(operator, '/pay', payment)).headers.location, '/')
})

test.run()
