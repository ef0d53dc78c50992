import { run } from './app.js'

run().then((outcome) => (document.querySelector('#said').textContent = outcome))
