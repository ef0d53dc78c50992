// Mounts what attacks/memory.mjs lists.

import attacks from './attacks/memory.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
