// The page's router, in a separate app.

import { createApp, h } from 'vue'
import { RouterView } from 'vue-router'
import { createAuth } from 'tokenkeep/vue'
import { auth } from './src/auth.ts'
import { router } from './src/router.ts'

createApp({ render: () => h(RouterView) })
  .use(createAuth(auth))
  .use(router)
  .mount('#root')
