// Data that a service worker keeps in IndexedDB for its next life: the marks of pending logouts, the endpoints that
// have answered a login, and whether the user has signed out. It contains no secret. Without IndexedDB, the data lives
// as long as the worker.

import type { Kept } from './server.js'
import { told } from './told.js'

const NAME = 'tokenkeep marks'
const STORE = 'marks'
/** The longest wait for the database, in milliseconds: without it, a database that hangs would stop every request. */
const LONGEST = 5_000
const LOGIN = 'login '
const OUT = 'signed out'

/** Pending writes. */
const writes = new Set<Promise<unknown>>()

const done = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** Opens the database for one transaction. Resolves when it is committed, so that the worker's end cannot undo it. */
async function transact<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(NAME)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
  const database = await done(opening)
  try {
    const transaction = database.transaction(STORE, mode)
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
    const [found] = await Promise.all([done(work(transaction.objectStore(STORE))), committed])
    return found
  } finally {
    database.close()
  }
}

/** Whether the database has not answered in time. From then on it counts as missing, until the worker ends. */
let isLost = false

/** The result of the transaction; undefined if it fails or takes too long. */
async function access<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  if (isLost) return undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      isLost = true
      resolve(undefined)
    }, LONGEST)
  })
  const found = await Promise.race([transact(mode, work).catch(() => undefined), late])
  clearTimeout(timer)
  return found
}

function write(key: string, text: string | undefined): void {
  // Write in order, so that the last value wins.
  const writing = Promise.all(writes).then(() =>
    access('readwrite', (store): IDBRequest => (text === undefined ? store.delete(key) : store.put(text, key))),
  )
  writes.add(writing)
  void writing.then(() => writes.delete(writing))
}

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
    written: () => Promise.all(writes),
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
