// The classic script `tokenkeep/service-worker/script`, for service workers that are no modules. An app's own file imports it and calls
// `tokenkeep.serve(options)`; registered itself, it has its options from its URL, where the page that registers it has written them.

import { isTokenError, TokenError } from '../error.js';
import { inline } from '../inline.js';
import { createManager } from '../manager.js';
import { listen, type Service } from './service.js';
import type { ServiceOptions } from './service-worker.js';
import type { WorkerOptions } from './worker.js';

let service: Service | undefined;

function serve(options: WorkerOptions, { takeOver = false }: ServiceOptions = {}): void {
  service = { own: options, takeOver };
}

listen((options) => createManager(inline, options), () => (service ??= stated()));
Object.defineProperty(globalThis, 'tokenkeep', { value: Object.freeze({ serve, isTokenError, TokenError }) });

/** Where the app's file says nothing. */
function stated(): Service | undefined {
  const text = new URL(location.href).searchParams.get('tokenkeep');
  try {
    const options: unknown = text === null ? undefined : JSON.parse(text);
    return typeof options === 'object' && options !== null ? { stated: options as Record<string, unknown>, takeOver: true } : undefined;
  } catch {
    return;
  }
}
