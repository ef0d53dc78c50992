import plugin from '@vitejs/plugin-vue'

export default { plugins: [plugin()] }
