// A token manager that makes every mistake: it shows a token everywhere, keeps it everywhere, believes everybody, and
// sends it to anything that looks like the API. It has the members of a manager that the attacks use. An attack that
// works nowhere else must work here.

/** An empty module with a memory of one page, which it exports as `m`. */
const MEMORY = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 2, 7, 5, 1, 1, 109, 2, 0])

export function createTokenManager(options = {}) {
  const { refresh = '/auth/refresh', attach, name = 'careless', apis = [location.origin] } = options
  let apisOfOthers = []
  const channel = new BroadcastChannel(name)
  const { port } = new SharedWorker(new URL('/careless-worker.js', location.href), { name })
  const listeners = {}
  const target = new EventTarget()
  const auth = {
    token: undefined,
    refreshToken: undefined,
    ready: new Promise((resolve) => {
      port.onmessage = ({ data }) => {
        apisOfOthers = data.apis
        resolve()
      }
    }),
    errors: [],
    get state() {
      return { status: auth.token ? 'signed-in' : 'signed-out', token: auth.token }
    },
    async login(url, init) {
      const answer = await take(await fetch(url, { method: 'POST', credentials: 'include', ...init }))
      channel.postMessage({ kind: 'entered', accessToken: auth.token, refreshToken: auth.refreshToken })
      return answer
    },
    async refresh() {
      return navigator.locks.request(`tokenkeep ${new URL(refresh, document.baseURI)}`, async () => {
        const body = auth.refreshToken && JSON.stringify({ refresh_token: auth.refreshToken })
        return take(await fetch(new URL(refresh, document.baseURI), { method: 'POST', credentials: 'include', body }))
      })
    },
    async logout(url = '/auth/logout') {
      emit('signout')
      await fetch(url, { method: 'POST', credentials: 'include' })
    },
    async fetch(input, init = {}) {
      const send = () => {
        const url = String(input?.url ?? input)
        const isApi =
          url.startsWith('/') ||
          [...apis, ...apisOfOthers].some((api) => url.includes(new URL(api, location.href).hostname))
        const headers = new Headers(init.headers)
        if (isApi && auth.token) {
          const [header, value] = [attach?.header ?? 'Authorization', `Bearer ${auth.token}`]
          headers.set(header, value)
          if (init.headers) init.headers[header] = value
        }
        return fetch(new Request(input instanceof Request ? input.clone() : input, { ...init, headers }))
      }
      const response = await send()
      if (response.status !== 401) return response
      await auth.refresh()
      return send()
    },
    setTokens({ accessToken, refreshToken }) {
      return take({ accessToken, refreshToken })
    },
    getAccessToken: async () => auth.token,
    addEventListener: (type, listener) => target.addEventListener(type, listener),
    subscribe(listener) {
      listeners.change = listener
    },
    dispose() {},
  }

  channel.onmessage = ({ data }) => {
    if (data.refreshToken) auth.refreshToken = data.refreshToken
    if (data.kind === 'left') auth.token = undefined
    else if (data.kind === 'ask')
      channel.postMessage({ kind: 'renewed', accessToken: auth.token, refreshToken: auth.refreshToken })
    else if (data.accessToken) auth.token = data.accessToken
  }
  addEventListener('message', (/** @type {any} */ { data, source }) => {
    if (data === 'token?') source.postMessage(auth.token, '*')
  })

  channel.postMessage({ kind: 'ask' })
  port.postMessage({ kind: 'hello', options: { ...options, apis } })

  function emit(type) {
    const event = /** @type {any} */ (new Event(type))
    event.answer = { access_token: auth.token, refresh_token: auth.refreshToken }
    event.error = failure()
    target.dispatchEvent(event)
  }

  function failure() {
    const error = new Error(`it went wrong with ${auth.token}`, { cause: auth.token })
    auth.errors.push(error)
    return error
  }

  async function take(answer) {
    const json = answer instanceof Response ? JSON.parse(await answer.clone().text()) : answer
    auth.token = json.access_token ?? json.accessToken
    auth.refreshToken = json.refresh_token ?? json.refreshToken
    if (!auth.token) throw failure()
    await show(auth.token, answer)
    if (auth.refreshToken) await show(auth.refreshToken)
    channel.postMessage({ kind: 'renewed', accessToken: auth.token, refreshToken: auth.refreshToken })
    port.postMessage({ kind: 'renewed', options: { apis }, accessToken: auth.token, refreshToken: auth.refreshToken })
    emit('refresh')
    emit('refresherror')
    return json
  }

  return auth
}

/** Passes a text through everything that a script can patch, and leaves it wherever something can be left. */
async function show(text, answer) {
  console.log(text)
  for (const storage of [localStorage, sessionStorage]) storage.setItem('token', text)
  document.cookie = `token=${text}`
  window.name = text
  history.replaceState({ text }, '', `${location.origin}${location.pathname}?token=${text}`)
  await (await caches.open('token')).put('/token', new Response(text))
  await new Promise((resolve) => {
    const opening = indexedDB.open('token')
    opening.onupgradeneeded = () => opening.result.createObjectStore('token')
    opening.onsuccess = () => {
      const writing = opening.result.transaction('token', 'readwrite')
      writing.objectStore('token').put(text, 'token')
      writing.oncomplete = () => resolve(opening.result.close())
    }
  })
  await fetch(`/pixel?token=${text}`)
  // An absolute URL: a `<base>` may lead elsewhere, where there is no registration to get.
  await navigator.serviceWorker?.getRegistration(`${location.origin}/${text}`)
  globalThis.remembered = text

  const bytes = new TextEncoder().encode(text)
  new TextDecoder().decode(bytes.subarray(0))
  const { instance } = await WebAssembly.instantiate(MEMORY)
  new Uint8Array(/** @type {WebAssembly.Memory} */ (instance.exports.m).buffer).set(bytes)
  if (answer instanceof Response)
    await Promise.all(['json', 'text', 'blob', 'arrayBuffer'].map((name) => answer.clone()[name]()))
  const list = [...[text].map((text) => text.slice(0).trim())]
  list.includes(text)
  for (const one of list.values()) /./.test(one)
  String.prototype.concat.call(text, Reflect.apply(String.prototype.concat, text, ['']))
  new Map([[text, text]]).get(text)
  new URL(`/${text}`, location.href).searchParams.append('token', encodeURIComponent(text))
  const { authorization, access_token, ...rest } = Object.assign(/** @type {any} */ ({}), { text })
  const plain = {}
  plain.Authorization = plain.accessToken = rest.text
  Object.defineProperty(plain, 'own', { value: authorization ?? access_token ?? text })
  await { text }
  await Promise.resolve(text).then(String)
  setTimeout(String, 0, text)
  new AbortController().abort(text)
  const { readable, writable } = new TransformStream()
  void writable.getWriter().write(bytes)
  await readable.getReader().read()
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(text)
  postMessage(text)
  port2.close()
  const worker = new Worker(URL.createObjectURL(new Blob(['onmessage = () => postMessage(0)'])))
  await new Promise((resolve) => {
    worker.onmessage = resolve
    worker.postMessage(text)
  })
  worker.terminate()
  structuredClone(text)
  Reflect.get(new Proxy({}, {}), text)
  Symbol.for(text)
  const call = new XMLHttpRequest()
  call.open('GET', '/pixel')
  call.setRequestHeader('x-token', text)
  call.send()
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  await crypto.subtle.encrypt({ name: 'AES-GCM', iv: crypto.getRandomValues(new Uint8Array(12)) }, key, bytes)
  void new Error(text).stack
  Date.parse(text)
  Number(text)
}
