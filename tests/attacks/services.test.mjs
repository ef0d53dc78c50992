// Mounts what attacks/services.mjs lists.

import attacks from './attacks/services.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
