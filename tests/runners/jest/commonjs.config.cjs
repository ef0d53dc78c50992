module.exports = {
  testEnvironment: './jsdom-with-fetch.cjs',
  // tokenkeep is an ES module: Babel converts it to CommonJS, like the app.
  transform: {
    '\\.[jt]sx?$': [
      'babel-jest',
      {
        presets: [
          ['@babel/preset-env', { targets: { node: 'current' } }],
          '@babel/preset-typescript',
          ['@babel/preset-react', { runtime: 'automatic' }],
        ],
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!tokenkeep/)'],
  // The app's own module creates its manager from the double.
  moduleNameMapper: { '^tokenkeep$': 'tokenkeep/testing' },
}
