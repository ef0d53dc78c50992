// Mounts what attacks/origin.mjs lists.

import attacks from './attacks/origin.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
