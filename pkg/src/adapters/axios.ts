// Puts the token on axios requests through axios's XMLHttpRequest adapter, for apps that show upload progress. Other apps should give
// axios `auth.fetch`, which it accepts directly.
//
// It is an adapter rather than a pair of interceptors, so that the app's interceptors see one request and one answer, and
// `transformRequest` runs once.

import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { isTokenError, TokenError } from '../error.js'
import type { TokenManager, TokenManagerOptions } from '../types.js'
import { copy, type Body } from './body.js'
import { expectManager } from './manager.js'
import { target } from './target.js'
import { firstToken, INCURABLE, newerToken } from './token.js'

/**
 * Makes `instance` (from `axios.create()`, or `axios` itself) send requests to one of `apis` with the token. If one is refused with a 401,
 * the token is refreshed, once for all waiting requests, and the request is sent once more. Requests to other URLs, and those with an
 * `Authorization` header or the option `auth`, are not changed. The token never appears in a `config` or an error. Returns the instance.
 *
 * `options`: the same `apis` and `attach` as the manager's. The manager needs `exposeToken: true`.
 *
 * If the token cannot be obtained, the request rejects with an `AxiosError` that has the `code` of the {@link TokenError}, which
 * is its `cause`. `timeout` applies to each of the two sendings; `onUploadProgress` is called for both.
 */
export function tokenkeepAxios<Instance extends AxiosInstance>(
  auth: Pick<TokenManager, 'getAccessToken'>,
  instance: Instance,
  options: Pick<TokenManagerOptions, 'apis' | 'attach'> = {},
): Instance {
  expectManager(auth, 'tokenkeepAxios')
  const { covered, header, value } = target('tokenkeepAxios', options)
  if (typeof instance?.getUri !== 'function')
    throw new TokenError(
      'invalid-argument',
      'tokenkeepAxios: the second argument must be an axios instance, from axios.create().',
    )
  if (typeof axios?.getAdapter !== 'function')
    throw new TokenError('invalid-argument', 'tokenkeepAxios: needs axios 1.7 or newer.')
  // An adapter that the app has set, such as a mock, is called by ours.
  const { adapter = 'xhr' } = instance.defaults
  const behind = typeof adapter === 'function' ? adapter : 'xhr'

  instance.defaults.adapter = async (config) => {
    const send = axios.getAdapter(behind, config)
    const { headers } = config
    const url = covered(instance.getUri(config))
    if (url === undefined || config.auth || headers.has('Authorization') || headers.has(header)) return send(config)
    const data = copy(config.data as Body) as unknown
    const attempt = (token?: string) => {
      // The caller's `config` appears in errors and logs, so the token goes into a copy.
      const own =
        token === undefined ? { ...config } : { ...config, headers: headers.concat({ [header]: value(token) }) }
      return sent(send({ ...own, data: copy(data as Body) }), config)
    }
    const token = await got(firstToken(auth), config)
    const first = await attempt(token)
    const { status, headers: said } = first.response ?? {}
    if (token === undefined || status !== 401 || INCURABLE.test(`${said!['www-authenticate']}`)) return finish(first)
    const newer = await got(newerToken(auth, token, url), config)
    return finish(newer === undefined ? first : await attempt(newer))
  }
  return instance
}

/** An answer, and the error that axios made from it, if any. */
interface Outcome {
  readonly response?: AxiosResponse | undefined
  readonly error?: unknown
}

function finish({ response, error }: Outcome): AxiosResponse {
  if (error) throw error
  return response!
}

/** Waits for an answer, and replaces its `config` with the caller's. */
async function sent(answer: PromiseLike<AxiosResponse>, config: InternalAxiosRequestConfig): Promise<Outcome> {
  try {
    return { response: Object.assign(await answer, { config }) }
  } catch (error) {
    const { response } = error as { response?: AxiosResponse }
    Object.assign(error as object, { config })
    if (response) response.config = config
    return { response, error }
  }
}

/** Waits for the token until the caller cancels. */
function got(token: Promise<string | undefined>, config: InternalAxiosRequestConfig): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const { signal, cancelToken } = config
    const cancel = () => reject(new axios.CanceledError(undefined, undefined, config))
    if (signal?.aborted) cancel()
    signal?.addEventListener?.('abort', cancel)
    // Its `promise` would keep a listener for each request as long as the cancel token lives.
    cancelToken?.subscribe(cancel)
    token
      .then(resolve, (error: unknown) => {
        reject(isTokenError(error) ? axios.AxiosError.from(error, error.code, config) : (error as Error))
      })
      .finally(() => {
        signal?.removeEventListener?.('abort', cancel)
        cancelToken?.unsubscribe(cancel)
      })
  })
}
