// Mounts what attacks/workers.mjs lists.

import attacks from './attacks/workers.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
