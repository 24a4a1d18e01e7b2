import { createShell, readSteps } from '../lib/console.ts'
import { createBindings, readDocument } from '../lib/examples.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, paymentSystemLogin, type World } from '../lib/world.ts'

const test = suite('README.md')
const document = await readDocument('README.md')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

test('the tour prints what it shows', async () => {
  const [start, ...steps] = readSteps(document)
  assert.ok(start)
  assert.is(start.command, 'npm start')
  const bindings = createBindings()
  bindings.bind('http://127.0.0.1:4000', world.url)
  const [, password = ''] = /payment system +\S+ +(\S+)/.exec(start.output) ?? []
  bindings.bind(password, paymentSystemLogin.password)

  const shell = createShell()
  assert.ok(steps.length > 8)
  try {
    for (const { command, output } of steps) {
      bindings.match(output, await shell.run(bindings.resolve(command)), command)
    }
  } finally {
    await shell.close()
  }
})

test.run()
