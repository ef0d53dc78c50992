// Runs the attacks of attacks/workers.mjs.

import attacks from './attacks/workers.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
