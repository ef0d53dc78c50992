// The app.
import { createRoot } from 'react-dom/client'
import { Account } from './Account'
import { auth } from './auth'

createRoot(document.getElementById('root')!).render(<Account auth={auth} />)

// For tests that drive the page.
Object.assign(globalThis, { auth })
