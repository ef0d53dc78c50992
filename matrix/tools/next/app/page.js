'use client'

import { useEffect, useState } from 'react'
import { run } from './app.js'

export default function Page() {
  const [outcome, setOutcome] = useState('')
  useEffect(() => void run().then(setOutcome), [])
  return <p id="said">{outcome}</p>
}
