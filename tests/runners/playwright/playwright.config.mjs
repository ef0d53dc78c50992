import { defineConfig } from '@playwright/test'

export default defineConfig({
  workers: 1,
  use: {
    // Where the app is: a development server, or what has been built.
    baseURL: process.env.APP,
    // Without these, the browser that Playwright has installed.
    launchOptions: process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] } : {},
  },
})
