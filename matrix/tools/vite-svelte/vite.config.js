import { svelte as plugin } from '@sveltejs/vite-plugin-svelte'

export default { plugins: [plugin()] }
