// Mounts what attacks/traces.mjs lists.

import attacks from './attacks/traces.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
