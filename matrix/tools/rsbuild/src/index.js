import { run } from './app.js'

const place = document.body.appendChild(document.createElement('p'))
place.id = 'said'
run().then((outcome) => (place.textContent = outcome))
