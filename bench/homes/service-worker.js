// The package's own service worker.

import { serve } from 'tokenkeep/service-worker'

serve({ refresh: '/auth/refresh' }, { takeOver: true })
