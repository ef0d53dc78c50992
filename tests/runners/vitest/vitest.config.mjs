import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const project = (name, include) => ({ extends: true, test: { name, environment: name, include } })

export default defineConfig({
  plugins: [react()],
  test: {
    // Testing Library cleans up after each test if it finds the globals.
    globals: true,
    projects: [
      project('node', ['*.test.ts']),
      project('jsdom', ['*.test.{ts,tsx}']),
      project('happy-dom', ['*.test.{ts,tsx}']),
    ],
  },
})
