// Runs the attacks of attacks/traces.mjs.

import attacks from './attacks/traces.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
