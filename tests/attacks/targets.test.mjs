// Mounts what attacks/targets.mjs lists.

import attacks from './attacks/targets.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
