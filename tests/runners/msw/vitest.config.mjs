import { defineConfig } from 'vitest/config'

const project = (name, include) => ({ test: { name, environment: name, include } })

export default defineConfig({
  test: {
    projects: [
      project('jsdom', ['msw.test.ts']),
      project('happy-dom', ['msw.test.ts']),
      project('node', ['node.test.ts']),
    ],
  },
})
