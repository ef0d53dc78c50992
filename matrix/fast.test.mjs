// The rows of the matrix that are fast enough for every test run: the production builds of the tools marked `fast`, run
// in Chromium.

import { after, test } from 'node:test'
import { Project, startGround } from './lib/project.mjs'
import { TOOLS } from './tools.mjs'

const ground = await startGround()
after(() => ground.close())

for (const tool of TOOLS.filter(({ fast }) => fast)) {
  test(`${tool.title}: built, a page signs in, and three refused calls cost one refresh`, async () => {
    const project = new Project(ground, tool)
    await project.install()
    await project.built(false)
    project.remove()
  })
}
