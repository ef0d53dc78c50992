// Makes Node a page, as far as the core asks for one. To be imported before the package.

globalThis.location = { href: 'https://page.test/', origin: 'https://page.test' }
globalThis.origin = 'https://page.test'
globalThis.addEventListener = globalThis.removeEventListener = () => {}
