// A hub that implements the parts of SignalR's JSON protocol that its client needs: negotiation, handshake, ping, and invocations, which it
// answers with their first argument.

import { WebSocketServer } from 'ws'

const END = '\x1e'

/** `who` checks a request's token. Returns the negotiation route, the record of calls, and the open connections. */
export function hub(http, path, who) {
  const log = []
  const connections = new Set()
  const wss = new WebSocketServer({ noServer: true })

  http.on('upgrade', (request, stream, head) => {
    const { pathname, searchParams } = new URL(request.url, 'http://a')
    if (pathname !== path) return
    const isGood = who({ headers: { authorization: `Bearer ${searchParams.get('access_token')}` } })
    log.push(`connect ${isGood ? 101 : 401}`)
    if (!isGood) return stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    wss.handleUpgrade(request, stream, head, (socket) => {
      connections.add(socket)
      socket.on('close', () => connections.delete(socket))
      socket.on('message', (data) => {
        for (const text of String(data).split(END).filter(Boolean)) {
          const { protocol, type, invocationId, arguments: given } = JSON.parse(text)
          if (protocol) socket.send(`{}${END}`)
          else if (type === 1) socket.send(JSON.stringify({ type: 3, invocationId, result: given[0] }) + END)
          else if (type === 6) socket.send(text + END)
        }
      })
    })
  })

  const negotiate = (arrived) => {
    const isGood = who(arrived)
    log.push(`negotiate ${isGood ? 200 : 401}`)
    if (!isGood) return { status: 401 }
    const availableTransports = [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }]
    return {
      type: 'application/json',
      body: JSON.stringify({ connectionId: 'c', connectionToken: 't', negotiateVersion: 1, availableTransports }),
    }
  }
  return { log, connections, negotiate }
}
