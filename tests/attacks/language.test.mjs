// Mounts what attacks/language.mjs lists.

import attacks from './attacks/language.mjs'
import { mount } from './support/mount.mjs'

await mount(attacks)
