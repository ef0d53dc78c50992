import { createSignal, onMount } from 'solid-js'
import { render } from 'solid-js/web'
import { run } from './app.js'

function App() {
  const [outcome, setOutcome] = createSignal('')
  onMount(() => run().then(setOutcome))
  return <p id="said">{outcome()}</p>
}

render(App, document.querySelector('#app'))
