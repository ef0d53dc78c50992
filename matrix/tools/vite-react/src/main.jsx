import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { run } from './app.js'

function App() {
  const [outcome, setOutcome] = useState('')
  useEffect(() => void run().then(setOutcome), [])
  return <p id="said">{outcome}</p>
}

createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
