// The package's own worker, where the tests can reach it.

import './prepared.js'
import '/tokenkeep/isolation/script.js'
