// Mounts what attacks/network.mjs lists.

import attacks from './attacks/network.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
