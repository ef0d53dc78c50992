// The parts, for tests that assemble them.

import { flushSync, mount, unmount } from 'svelte'
import { get } from 'svelte/store'
import { createTokenManager } from 'tokenkeep'
import * as binding from 'tokenkeep/svelte'
import Reader from './Reader.svelte'

Object.assign(globalThis, { flushSync, mount, unmount, get, createTokenManager, binding, Reader })
