// @ts-check
// The worker in which the token lives, if that is chosen.

import { serve } from '/tokenkeep/isolation/worker.js';
import { OPTIONS } from './homes.js';
import { tellTraffic } from './traffic.js';

// First, so that it sees every request.
tellTraffic(self.name);
serve(OPTIONS);
