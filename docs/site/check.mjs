// Whether every link of the built site leads to a page that is there, and every fragment to a place on it.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

export function check(out) {
  const files = new Set(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  )
  const pages = new Map(
    [...files].filter((file) => /\.(html|svg)$/.test(file)).map((file) => [file, readFileSync(file, 'utf8')]),
  )
  const ids = new Map([...pages].map(([file, html]) => [file, new Set(values(html, 'id'))]))

  const broken = [...pages].flatMap(([file, html]) =>
    [...new Set([...values(html, 'href'), ...values(html, 'src')])]
      .filter((link) => {
        if (/^[a-z]+:/i.test(link)) return false
        const [path, fragment] = link.split('#').map(decodeURIComponent)
        const target = path ? resolve(dirname(file), path.replace(/\?.*/, '')) : file
        return !files.has(target) || (fragment && !ids.get(target)?.has(fragment))
      })
      .map((link) => `${relative(out, file)}: ${link}`),
  )
  if (broken.length) throw new Error(`${broken.length} links lead nowhere:\n  ${broken.slice(0, 50).join('\n  ')}`)
}

function values(html, attribute) {
  return [...html.matchAll(new RegExp(`<[^>]*\\s${attribute}="([^"]*)"`, 'g'))].map(([, value]) =>
    value.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"'),
  )
}
