// Runs the attacks of attacks/elsewhere.mjs.

import attacks from './attacks/elsewhere.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
