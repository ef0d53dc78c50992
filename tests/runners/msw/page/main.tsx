// The app with its own manager. MSW's service worker is ready before the first request.
import { setupWorker } from 'msw/browser'
import { createRoot } from 'react-dom/client'
import { Account } from '../../app/Account'
import { auth } from '../../app/auth'
import { backend, handlers } from '../server'

await setupWorker(...handlers).start({ quiet: true })
createRoot(document.getElementById('root')!).render(<Account auth={auth} />)

// For tests that drive the page.
Object.assign(globalThis, { auth, backend })
