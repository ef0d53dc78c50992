import { defineConfig } from 'vitest/config'

const project = (name) => ({ test: { name, environment: name } })

export default defineConfig({ test: { projects: [project('jsdom'), project('happy-dom')] } })
