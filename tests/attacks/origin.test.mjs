// Runs the attacks of attacks/origin.mjs.

import attacks from './attacks/origin.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
