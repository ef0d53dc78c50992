// @ts-check
// The service worker that keeps the token, if the user has chosen that.

import { serve } from '/tokenkeep/isolation/service-worker.js';
import { OPTIONS, SERVICE } from './homes.js';
import { tellTraffic } from './traffic.js';

// First, so that it sees every request.
tellTraffic(SERVICE);
// Not what the page asks of the demo's own switches: that needs no token.
serve({ ...OPTIONS, apis: ['/api'] }, { takeOver: true });
