import { defineConfig } from '@playwright/test'

export default defineConfig({
  workers: 1,
  use: {
    // The app's URL: a development server, or a build.
    baseURL: process.env.APP,
    // Without these, Playwright uses the browser that it has installed.
    launchOptions: process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] } : {},
  },
})
