// The package's worker script. Its options come from the first page.

import { serve } from './worker.js'

serve()
