/** A database of the browser's, IndexedDB, with promises. */

/** Opens one, made or brought up to this version by `upgrade`. */
export function openDatabase(
  factory: IDBFactory,
  name: string,
  version: number,
  upgrade: (request: IDBOpenDBRequest) => void,
): Promise<IDBDatabase> {
  const database = new Promise<IDBDatabase>((resolve, reject) => {
    const request = factory.open(name, version);
    request.onupgradeneeded = () => upgrade(request);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("Another tab holds an older version open."));
  });
  // The failure is seen by the first call that needs it.
  database.catch(() => undefined);
  return database;
}

/** Waits until everything that was asked of it has been done. */
export function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
