// Runs the attacks of attacks/targets.mjs.

import attacks from './attacks/targets.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
