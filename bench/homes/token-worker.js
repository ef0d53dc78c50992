// The package's own worker.

import 'tokenkeep/worker/script'
