// Copies bodies that may be sent twice.

/** The bodies that XMLHttpRequest accepts. */
export type Body = XMLHttpRequestBodyInit | Document | null | undefined

/** Returns a copy that can be sent a second time, even if the caller changes the original meanwhile. Files are not read into memory. */
export function copy(body: Body): Body {
  if (body instanceof FormData) {
    const form = new FormData()
    for (const [name, value] of body) form.append(name, value as string)
    return form
  }
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (body instanceof ArrayBuffer) return body.slice(0)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice()
  if (typeof Document === 'function' && body instanceof Document) return body.cloneNode(true) as Document
  return body
}
