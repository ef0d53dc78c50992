// @ts-check
// The worker that keeps the token, if the user has chosen a worker.

import { serve } from '/tokenkeep/isolation/worker.js'
import { OPTIONS } from './homes.js'
import { tellTraffic } from './traffic.js'

// First, so that it sees every request.
tellTraffic(self.name)
serve(OPTIONS)
