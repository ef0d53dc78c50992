// The package's own service worker, where the tests can reach it; its options stand in this file's own URL.

import './prepared.js'
import '/tokenkeep/isolation/service-worker-script.js'
