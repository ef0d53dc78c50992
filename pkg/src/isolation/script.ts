// The worker that is ready made: its options come from the first page.

import { serve } from './worker.js';

serve();
