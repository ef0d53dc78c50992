// Data that a service worker keeps in IndexedDB for its next life: the marks of pending logouts, the endpoints that
// have answered a login, and whether the user has signed out. It contains no secret. Without IndexedDB, the data lives
// as long as the worker.

import type { Kept } from './server.js'
import { told } from './told.js'

const NAME = 'tokenkeep marks'
const STORE = 'marks'
const LOGIN = 'login '
const OUT = 'signed out'

/** Pending writes. */
const writes = new Set<Promise<unknown>>()

const done = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

async function access<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  try {
    const opening = indexedDB.open(NAME)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    const database = await done(opening)
    try {
      return await done(work(database.transaction(STORE, mode).objectStore(STORE)))
    } finally {
      database.close()
    }
  } catch {
    return
  }
}

function write(key: string, text: string | undefined): void {
  // Write in order, so that the last value wins.
  const writing = Promise.all(writes).then(() =>
    access('readwrite', (store): IDBRequest => (text === undefined ? store.delete(key) : store.put(text, key))),
  )
  writes.add(writing)
  void writing.then(() => writes.delete(writing))
}

/** Resolves when all pending writes are done. */
export const isWritten = (): Promise<unknown> => Promise.all(writes)

/** Reads the stored data, and from now on stores every change. `loaded` resolves when the data has been read. */
export function keep(): Kept & { loaded: Promise<void> } {
  const found = new Map<string, string>()
  told.mark = write
  const kept = {
    loaded: load().then((stored) => {
      for (const [key, text] of stored) {
        found.set(key, text)
        if (key !== OUT && !key.startsWith(LOGIN)) told.marks[key] = text
      }
    }),
    logins: {
      has: (endpoint: string) => found.has(LOGIN + endpoint),
      add(endpoint: string) {
        if (found.has(LOGIN + endpoint)) return
        found.set(LOGIN + endpoint, '')
        write(LOGIN + endpoint, '')
      },
    },
    get isOut() {
      return found.has(OUT)
    },
    set isOut(is) {
      if (is === found.has(OUT)) return
      if (is) found.set(OUT, '')
      else found.delete(OUT)
      write(OUT, is ? '' : undefined)
    },
  }
  return kept
}

async function load(): Promise<[key: string, text: string][]> {
  let keys: IDBRequest<IDBValidKey[]> | undefined
  const values = await access<unknown[]>('readonly', (store) => {
    keys = store.getAllKeys()
    return store.getAll()
  })
  return (values ?? []).map((value, i) => [String(keys!.result[i]), String(value)])
}
