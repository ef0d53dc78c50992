// panva's oidc-provider with a public client, as a single-page app is one: authorization code with PKCE, rotated refresh tokens whose reuse
// ends the grant. With the argument `dpop` it binds its tokens to a key, and requires its nonces (RFC 9449). Everyone who signs in is
// alice. `/admin` is an API that requires more scope than she has, `/transfer` one that requires a second factor (RFC 9470).

import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'
import { serve } from './harness.mjs'

const [front, word] = process.argv.slice(2)
const isBound = word === 'dpop'
const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const grants = new Set()

function provide(issuer) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'spa',
        token_endpoint_auth_method: 'none',
        redirect_uris: [`${front}/`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        dpop_bound_access_tokens: isBound,
      },
    ],
    clientBasedCORS: (_, origin) => origin === front,
    cookies: { keys: ['no secret'] },
    features: {
      devInteractions: { enabled: false },
      dPoP: isBound
        ? { enabled: true, nonceSecret: Buffer.alloc(32, 'no secret'), requireNonce: () => true }
        : { enabled: true },
      revocation: { enabled: true },
    },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [{ ...jwk, use: 'sig', alg: 'RS256' }] },
    // The provider accepts tokens for fifteen seconds more.
    ttl: { AccessToken: 40, Grant: 86_400, Interaction: 600, RefreshToken: 86_400, Session: 86_400 },
  })
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/interaction/')) return enter(provider, ctx)
    if (ctx.path === '/admin') return refuse(ctx, 403, 'Bearer error="insufficient_scope", scope="admin"')
    if (ctx.path === '/transfer')
      return refuse(
        ctx,
        401,
        'DPoP algs="ES256 PS256", Bearer error="insufficient_user_authentication", acr_values="urn:mfa", max_age="60"',
      )
    return next()
  })
  // Codes and refresh tokens are sent to one address: the record distinguishes them.
  const record = ({ oidc, res }) => res.note({ path: `/token ${oidc.params.grant_type}` })
  provider.on('grant.success', (ctx) => (record(ctx), grants.add(ctx.oidc.entities.Grant.jti)))
  provider.on('grant.error', record)
  provider.on('grant.revoked', (_, id) => grants.delete(id))
  return provider
}

/** Signs alice in, and consents for her. */
async function enter(provider, { req, res }) {
  const { prompt, params } = await provider.interactionDetails(req, res)
  const grant = new provider.Grant({ accountId: 'alice', clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const result =
    prompt.name === 'login' ? { login: { accountId: 'alice' } } : { consent: { grantId: await grant.save() } }
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true })
}

function refuse(ctx, status, challenge) {
  ctx.set({
    'access-control-allow-origin': front,
    'access-control-allow-headers': 'authorization',
    'access-control-expose-headers': 'www-authenticate',
  })
  if (ctx.method === 'OPTIONS') return void (ctx.status = 204)
  ctx.status = status
  ctx.set('www-authenticate', challenge)
  ctx.body = {}
}

let provider
let handle

serve(
  (request, response) => {
    provider ??= provide(`http://${request.headers.host}`)
    handle ??= provider.callback()
    return handle(request, response)
  },
  {
    async end() {
      for (const id of grants)
        await Promise.all(
          [provider.AccessToken, provider.RefreshToken, provider.AuthorizationCode].map((kind) =>
            kind.revokeByGrantId(id),
          ),
        )
      grants.clear()
    },
    sessions: () => grants.size,
  },
)
