// axios with the token, by its adapter for XMLHttpRequest: for those who show the progress of uploads. Whoever does not is better off with
// `auth.fetch`, which axios takes as it is.
//
// It is an adapter, and no pair of interceptors: those of the app see one request and one answer, and `transformRequest` runs once.

import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { isTokenError, TokenError } from '../error.js';
import type { TokenManager, TokenManagerOptions } from '../types.js';
import { copy, type Body } from './body.js';
import { expectManager } from './manager.js';
import { target } from './target.js';
import { firstToken, INCURABLE, newerToken } from './token.js';

/**
 * Has `instance`, of `axios.create()` or `axios` itself, send requests to one of `apis` with the token. Where one is refused with a 401, the
 * token is refreshed, once for all, and the request is sent once more. Requests elsewhere, and those that bring an `Authorization` or
 * the option `auth`, are left alone. The token is in no `config` and in no error. Returns the instance.
 *
 * `options`: `apis` and `attach` as the manager has them. The manager needs `exposeToken: true`.
 *
 * Where the token cannot be had, it rejects with an `AxiosError` with the `code` of the {@link TokenError}, which is its `cause`.
 * `timeout` is for each sending; `onUploadProgress` tells of both.
 */
export function tokenkeepAxios<Instance extends AxiosInstance>(
  auth: Pick<TokenManager, 'getAccessToken'>,
  instance: Instance,
  options: Pick<TokenManagerOptions, 'apis' | 'attach'> = {},
): Instance {
  expectManager(auth, 'tokenkeepAxios');
  const { covered, header, value } = target('tokenkeepAxios', options);
  if (typeof instance?.getUri !== 'function') throw new TokenError('invalid-argument', 'tokenkeepAxios: takes an instance of axios second, as axios.create() gives it.');
  if (typeof axios?.getAdapter !== 'function') throw new TokenError('invalid-argument', 'tokenkeepAxios: needs axios 1.7 or newer.');
  // One of the app's own, as a mock, stays behind ours.
  const { adapter = 'xhr' } = instance.defaults;
  const behind = typeof adapter === 'function' ? adapter : 'xhr';

  instance.defaults.adapter = async (config) => {
    const send = axios.getAdapter(behind, config);
    const { headers } = config;
    const url = covered(instance.getUri(config));
    if (url === undefined || config.auth || headers.has('Authorization') || headers.has(header)) return send(config);
    const data = copy(config.data as Body) as unknown;
    const attempt = (token?: string) => {
      // The caller's is in all errors and logs.
      const own = token === undefined ? { ...config } : { ...config, headers: headers.concat({ [header]: value(token) }) };
      return sent(send({ ...own, data: copy(data as Body) }), config);
    };
    const token = await got(firstToken(auth), config);
    const first = await attempt(token);
    const { status, headers: said } = first.response ?? {};
    if (token === undefined || status !== 401 || INCURABLE.test(`${said!['www-authenticate']}`)) return finish(first);
    const newer = await got(newerToken(auth, token, url), config);
    return finish(newer === undefined ? first : await attempt(newer));
  };
  return instance;
}

/** An answer, and the error that axios makes of it, if it makes one. */
interface Outcome {
  readonly response?: AxiosResponse | undefined;
  readonly error?: unknown;
}

function finish({ response, error }: Outcome): AxiosResponse {
  if (error) throw error;
  return response!;
}

/** Waits for an answer, and has it speak of the caller's own `config`. */
async function sent(answer: PromiseLike<AxiosResponse>, config: InternalAxiosRequestConfig): Promise<Outcome> {
  try {
    return { response: Object.assign(await answer, { config }) };
  } catch (error) {
    const { response } = error as { response?: AxiosResponse };
    Object.assign(error as object, { config });
    if (response) response.config = config;
    return { response, error };
  }
}

/** Waits for the token, until its caller gives up. */
function got(token: Promise<string | undefined>, config: InternalAxiosRequestConfig): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const { signal, cancelToken } = config;
    const cancel = () => reject(new axios.CanceledError(undefined, undefined, config));
    if (signal?.aborted) cancel();
    signal?.addEventListener?.('abort', cancel);
    // Its `promise` would keep a listener for each request, as long as the token lives.
    cancelToken?.subscribe(cancel);
    token.then(resolve, (error: unknown) => {
      reject(isTokenError(error) ? axios.AxiosError.from(error, error.code, config) : (error as Error));
    }).finally(() => {
      signal?.removeEventListener?.('abort', cancel);
      cancelToken?.unsubscribe(cancel);
    });
  });
}
