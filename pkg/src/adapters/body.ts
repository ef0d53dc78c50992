// Bodies that are sent twice.

/** What an XMLHttpRequest sends. */
export type Body = XMLHttpRequestBodyInit | Document | null | undefined;

/** A body that can be sent a second time, whatever its owner does to it meanwhile. No file is read into memory for that. */
export function copy(body: Body): Body {
  if (body instanceof FormData) {
    const form = new FormData();
    for (const [name, value] of body) form.append(name, value as string);
    return form;
  }
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof ArrayBuffer) return body.slice(0);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  if (typeof Document === 'function' && body instanceof Document) return body.cloneNode(true) as Document;
  return body;
}
