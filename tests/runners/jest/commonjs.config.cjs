module.exports = {
  testEnvironment: './jsdom-with-fetch.cjs',
  // tokenkeep is an ES module: Babel makes CommonJS of it, as of the app.
  transform: { '\\.[jt]sx?$': ['babel-jest', { presets: [['@babel/preset-env', { targets: { node: 'current' } }], '@babel/preset-typescript', ['@babel/preset-react', { runtime: 'automatic' }]] }] },
  transformIgnorePatterns: ['/node_modules/(?!tokenkeep/)'],
  // The app's own module makes its manager of the double.
  moduleNameMapper: { '^tokenkeep$': 'tokenkeep/testing' },
}
