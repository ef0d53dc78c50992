// Runs the attacks of attacks/network.mjs.

import attacks from './attacks/network.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
