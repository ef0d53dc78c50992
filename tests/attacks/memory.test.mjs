// Runs the attacks of attacks/memory.mjs.

import attacks from './attacks/memory.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
