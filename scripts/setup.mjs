/**
 * The first step of `npm start`, `npm test` and the like: installs what package-lock.json says when
 * node_modules is not that. It runs before anything is installed, so it has no dependencies and must
 * work on Node 20; what follows runs on the Node 24 that is installed here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const lock = path('.setup.lock')

/** The packages that a lockfile lists, by their folder. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(path(file), 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Whether node_modules holds what the lockfile says. npm writes its own account of it at the end. */
function isInstalled() {
  const installed = packagesOf('node_modules/.package-lock.json')
  if (!installed) return false
  const withoutDev = process.env.NODE_ENV === 'production'
  return Object.entries(packagesOf('package-lock.json')).every(([folder, wanted]) => {
    if (folder === '') return true
    const there = installed[folder]
    if (!there) return wanted.optional || wanted.devOptional || (withoutDev && wanted.dev)
    return there.version === wanted.version && there.integrity === wanted.integrity
  })
}

function install() {
  console.log('Installing what package-lock.json lists (a minute or so, this time only)...')
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']
  const [command, ...rest] = npm ? [process.execPath, npm, ...args] : ['npm', ...args]
  const started = performance.now()
  const { status, error } = spawnSync(command, rest, { cwd: path('.'), stdio: 'inherit' })
  if (status !== 0) {
    fail(`npm ci failed (${error?.message ?? `exit ${status}`}): see above, and try again.`)
  }
  console.log(`Installed in ${Math.round((performance.now() - started) / 1000)} s.`)
}

/** Lets one of several that start at once install, while the others wait. */
async function takeLock() {
  const mine = `${lock}.${process.pid}`
  process.on('exit', () => rmSync(mine, { force: true }))
  for (let waiting = false; ; waiting = true) {
    try {
      writeFileSync(mine, String(process.pid))
      linkSync(mine, lock) // unlike a write, it is either there with its content or not there
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`Cannot write ${lock}: ${error.message}`)
    }
    if (!waiting) console.log('Waiting for another installation in this folder...')
    await setTimeout(200)
    if (!isAlive(lockOwner())) rmSync(lock, { force: true })
  }
}

function lockOwner() {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch {
    return 0
  }
}

function isAlive(pid) {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Makes the command `node` that npm 10 leaves out: it removes the one of this platform's Node together
 * with that of another platform's, which it does not install.
 */
function linkNode() {
  const node = `node-${process.platform}-${process.arch}/bin/node`
  const link = path('node_modules/.bin/node')
  if (existsSync(link) || !existsSync(path(`node_modules/${node}`))) return
  try {
    symlinkSync(`../${node}`, link)
  } catch (error) {
    if (error.code !== 'EEXIST') fail(`Cannot make ${link}: ${error.message}`)
  }
}

function fail(line) {
  console.error(line)
  process.exit(1)
}

if (!isInstalled()) {
  await takeLock()
  process.on('exit', () => rmSync(lock, { force: true }))
  if (!isInstalled()) install()
}
linkNode()
if (
  !existsSync(path('node_modules/.bin/node')) &&
  Number.parseInt(process.versions.node, 10) < 24
) {
  const { platform, arch, version } = process
  fail(
    `Kassa needs Node 24. npm has installed none for ${platform}-${arch}, and this one is ${version}.`,
  )
}
