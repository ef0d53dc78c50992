// The package's own service worker, where the tests can reach it. Its options are in the URL of this file.

import './prepared.js'
import '/tokenkeep/isolation/service-worker-script.js'
