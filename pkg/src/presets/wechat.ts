// WeChat's third-party platform, and similar APIs.

import type { TokenManagerOptions } from '../types.js'

/**
 * Options for tokens in the query and `errcode` in the body of a 200. Add `refresh` as a function, because an account's token is obtained
 * with a token of the platform.
 */
export const wechat = {
  attach: { query: 'access_token' },
  // Expired; invalid or not the latest; invalid.
  unauthorized: { body: { path: 'errcode', equals: [42001, 40001, 40014] } },
  rejected: { body: { path: 'errcode', equals: [61010, 61023] } },
  refreshToken: { json: 'authorizer_refresh_token' },
  response: {
    accessToken: ['authorization_info.authorizer_access_token', 'authorizer_access_token'],
    refreshToken: ['authorization_info.authorizer_refresh_token', 'authorizer_refresh_token'],
    expiresIn: ['authorization_info.expires_in', 'expires_in'],
  },
} as const satisfies Omit<TokenManagerOptions, 'refresh'>
