// Runs the attacks of attacks/language.mjs.

import attacks from './attacks/language.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
