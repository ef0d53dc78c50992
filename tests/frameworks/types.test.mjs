// The pages' TypeScript has no errors. Angular's is checked by its build.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { write } from './support/page.mjs'

const TSC = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url))

const JSX = {
  react: { jsx: 'react-jsx' },
  solid: { jsx: 'preserve', jsxImportSource: 'solid-js' },
}

for (const [page, jsx] of Object.entries(JSX)) {
  test(`docs/frameworks/${page}.md has no type errors`, async () => {
    const app = write(page, { name: `${page}-types` })
    const compilerOptions = {
      ...jsx,
      noEmit: true,
      strict: true,
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
      types: ['vite/client'],
    }
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }))
    const { stdout } = await promisify(execFile)(process.execPath, [TSC, '--project', app]).catch((error) => error)
    assert.equal(stdout, '')
  })
}
