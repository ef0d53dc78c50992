// The careless manager's shared worker: it believes every sender, tells it everything, and sends the token anywhere.

const apis = []
let tokens = {}

globalThis.onconnect = ({ ports: [port] }) => {
  port.onmessage = async ({ data }) => {
    const { id, options, accessToken, refreshToken, request } = data ?? {}
    apis.push(...(options?.apis ?? []))
    if (accessToken) tokens = { accessToken, refreshToken }
    if (typeof request?.url === 'string')
      await fetch(request.url, { headers: { authorization: `Bearer ${tokens.accessToken}` } }).catch(() => {})
    port.postMessage({ kind: 'ready', id, apis, ...tokens })
  }
}
