// @ts-check
// A sketch of the picture, shown before the user has made any call. The page says that it is a sketch.

const CALLS = 6
const paths = Array.from({ length: CALLS }, (_, n) => `/sketch/${n}`)

/** Six calls are refused, one refresh, six calls are answered. @type {import('./scene.js').Scene} */
export const SKETCH = {
  calls: paths.map((path, n) => ({ path, start: 0, end: 88 + 2 * n, status: 200 })),
  requests: [
    ...paths.map((path, n) => ({ path, start: 0, end: 18 + 2 * n, status: 401 })),
    { path: '/auth/refresh', start: 20, end: 60, status: 200 },
    ...paths.map((path, n) => ({ path, start: 60, end: 88 + 2 * n, status: 200 })),
  ],
}
