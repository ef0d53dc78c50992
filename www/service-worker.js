// @ts-check
// The service worker that keeps the token, if the user has chosen that.

import { serve } from '/tokenkeep/isolation/service-worker.js'
import { OPTIONS, SERVICE } from './homes.js'
import { tellTraffic } from './traffic.js'

// First, so that it sees every request.
tellTraffic(SERVICE)
// The requests to the demo's own switches need no token.
serve({ ...OPTIONS, apis: ['/api'] }, { takeOver: true })
