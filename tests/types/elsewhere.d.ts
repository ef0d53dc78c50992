// Modules that are not there: packages of other folders, and those that a test's server serves.

declare module '/*'
declare module '@auth0/auth0-spa-js'
declare module 'alova'
declare module 'alova/client'
declare module 'alova/fetch'
declare module 'axios'
declare module 'axios-auth-refresh'
declare module 'ky'
declare module 'oidc-provider'
declare module 'selfsigned'
declare module 'supertokens-website'
declare module 'wretch'
