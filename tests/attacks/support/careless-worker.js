// The shared worker of the careless: it believes whoever speaks to it, tells him all it knows, and sends it wherever he says.

const apis = []
let tokens = {}

globalThis.onconnect = ({ ports: [port] }) => {
  port.onmessage = async ({ data }) => {
    const { id, options, accessToken, refreshToken, request } = data ?? {}
    apis.push(...(options?.apis ?? []))
    if (accessToken) tokens = { accessToken, refreshToken }
    if (typeof request?.url === 'string') await fetch(request.url, { headers: { authorization: `Bearer ${tokens.accessToken}` } }).catch(() => {})
    port.postMessage({ kind: 'ready', id, apis, ...tokens })
  }
}
