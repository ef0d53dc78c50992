export * from '../../../src/auth'
