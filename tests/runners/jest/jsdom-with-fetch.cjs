// Jest's jsdom has no fetch, and so no Response to answer with: here are Node's.
const { TestEnvironment } = require('jest-environment-jsdom')

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup()
    Object.assign(this.global, { fetch, Request, Response, Headers })
  }
}
