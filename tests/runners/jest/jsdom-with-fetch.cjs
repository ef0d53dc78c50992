// Jest's jsdom has no fetch, and therefore no Response: this environment adds Node's.
const { TestEnvironment } = require('jest-environment-jsdom')

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup()
    Object.assign(this.global, { fetch, Request, Response, Headers })
  }
}
