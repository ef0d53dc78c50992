// Paths in the repository.

import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

export const PAGES = at('../pages/')
export const PACKAGE = at('../../../pkg/dist/')
export const DEMO = at('../../../www/')
export const WEBDRIVER = at('../../../webdriver.json')
export const CALLS = at('../../../pkg/test/page/calls.mjs')
