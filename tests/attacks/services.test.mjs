// Runs the attacks of attacks/services.mjs.

import attacks from './attacks/services.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
