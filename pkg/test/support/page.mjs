// Makes Node look like a page, as far as the core checks. Import it before the package.

globalThis.location = /** @type {any} */ ({ href: 'https://page.test/', origin: 'https://page.test' })
globalThis.origin = 'https://page.test'
globalThis.addEventListener = globalThis.removeEventListener = () => {}
