// Mounts what attacks/elsewhere.mjs lists.

import attacks from './attacks/elsewhere.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
