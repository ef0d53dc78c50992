// The tools. Each has a folder with its name in `tools`, with exact versions and a lock file. Its scripts are `build`,
// `dev` and, if the tool's own server serves the build, `start`.
//
// `versions`: the packages whose versions the table names. `app`: the folder for the app's modules. `serves`: the
// folders that are served after a build. `watches`: the tool has no dev server, but writes to these folders again after
// a change, and then prints this text. `script`: arguments after the scripts' names. `notes`: what a user must know.
// `fast`: `cargo xtask test matrix` also builds and runs it.

const page = { app: '.', serves: ['dist', 'public'] }
const vite = (name, title, versions, more) => ({
  name,
  title,
  versions: ['vite', ...versions],
  app: 'src',
  serves: ['dist'],
  ...more,
})

export const TOOLS = [
  {
    name: 'plain',
    fast: true,
    title: 'plain page',
    versions: [],
    app: '.',
    serves: ['.'],
    notes: ['An import map names the module.'],
  },
  { ...page, name: 'esbuild', title: 'esbuild', versions: ['esbuild'], notes: ['File: `--loader:.wasm=file`.'] },
  {
    ...page,
    name: 'rollup',
    title: 'Rollup',
    versions: ['rollup'],
    watches: 'created dist',
    notes: ['Dev: `--watch`. File: `@rollup/plugin-url`.'],
  },
  { ...page, name: 'webpack', title: 'webpack', versions: ['webpack', 'webpack-dev-server'], notes: [] },
  { ...page, name: 'rspack', title: 'Rspack', versions: ['@rspack/core'], notes: [] },
  { name: 'rsbuild', title: 'Rsbuild', versions: ['@rsbuild/core'], app: 'src', serves: ['dist'], notes: [] },
  {
    name: 'parcel',
    title: 'Parcel',
    versions: ['parcel'],
    app: '.',
    serves: ['dist'],
    notes: ['File: `npm:tokenkeep/dist/core.wasm` in the URL.'],
  },
  vite('vite-react', 'Vite, React', ['react'], { fast: true, notes: [] }),
  vite('vite-vue', 'Vite, Vue', ['vue'], { notes: [] }),
  vite('vite-solid', 'Vite, Solid', ['solid-js'], { notes: [] }),
  vite('vite-svelte', 'Vite, Svelte', ['svelte'], { notes: [] }),
  {
    name: 'sveltekit',
    title: 'SvelteKit',
    versions: ['@sveltejs/kit'],
    app: 'src/lib',
    serves: ['build'],
    notes: ['Prerendered.'],
  },
  { name: 'astro', title: 'Astro', versions: ['astro'], app: 'src', serves: ['dist'], notes: [] },
  {
    name: 'next',
    fast: true,
    title: 'Next, Turbopack',
    versions: ['next', 'react'],
    app: 'app',
    notes: ['Rendered on the server.'],
  },
  {
    name: 'next-webpack',
    folder: 'next',
    title: 'Next, webpack',
    versions: ['next', 'react'],
    app: 'app',
    script: ':webpack',
    notes: ['Rendered on the server.'],
  },
  { name: 'nuxt', title: 'Nuxt', versions: ['nuxt', 'vue'], app: 'app/auth', notes: ['Rendered on the server.'] },
  {
    name: 'angular',
    fast: true,
    title: 'Angular',
    versions: ['@angular/core', '@angular/build'],
    app: 'src',
    serves: ['dist/app/browser'],
    notes: [],
  },
]
