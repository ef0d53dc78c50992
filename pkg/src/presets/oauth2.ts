// OAuth 2 for a public client (RFC 6749, section 6): the refresh token in a form.

import type { RefreshOptions, TokenManagerOptions } from '../types.js'

/**
 * Options for an authorization server's token endpoint. Add your `url` and `client_id`: `refresh: { ...oauth2.refresh, url, body: {
 * ...oauth2.refresh.body, client_id } }`. For its revocation endpoint (RFC 7009): `logout: { url, body: { client_id }, credentials: 'omit',
 * send: 'token' }`. The refresh token is kept in memory.
 */
export const oauth2 = {
  refresh: { body: { grant_type: 'refresh_token' }, credentials: 'omit' },
  refreshToken: { form: 'refresh_token' },
} as const satisfies Omit<TokenManagerOptions, 'refresh'> & { refresh: Partial<RefreshOptions> }
