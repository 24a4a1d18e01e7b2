import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A file that pages load. Its address changes with its content, so that browsers may keep it. */
export interface Asset {
  path: string
  /** The address with the version. */
  address: string
  content: string
  contentType: string
}

function load(name: string, contentType: string): Asset {
  const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
  const path = `/assets/${name}`
  const version = hash('sha256', content, 'base64url').slice(0, 10)
  return { path, address: `${path}?v=${version}`, content, contentType }
}

export const stylesheet = load('kassa.css', 'text/css; charset=utf-8')
export const icon = load('kassa.svg', 'image/svg+xml')
