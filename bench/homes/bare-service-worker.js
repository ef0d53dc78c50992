// A service worker that answers every request with its own `fetch`: the least that a page's own `fetch` through a
// service worker can cost.

addEventListener('install', () => void skipWaiting())
addEventListener('fetch', (/** @type {any} */ event) => event.respondWith(fetch(event.request)))
