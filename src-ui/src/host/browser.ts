/** What a page has of its browser wherever it is shown, in a tab or in the window of the desktop program. */
import type { FileWish, Kept } from "./host";

export function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** Short texts that survive a reload. */
export const storedTexts: Kept = {
  get: (key) => orNull(() => localStorage.getItem(key)),
  set: (key, value) => void orNull(() => localStorage.setItem(key, value)),
  remove: (key) => void orNull(() => localStorage.removeItem(key)),
};

/** A browser may forbid storage altogether. */
function orNull<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}

export function pickFiles(wish: FileWish = {}): Promise<File[]> {
  const field = document.createElement("input");
  field.type = "file";
  field.multiple = wish.many ?? false;
  field.webkitdirectory = wish.folder ?? false;
  field.accept = wish.accept ?? "";
  return new Promise((resolve) => {
    field.onchange = () => resolve([...(field.files ?? [])]);
    field.oncancel = () => resolve([]);
    field.click();
  });
}
