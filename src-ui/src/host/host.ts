/**
 * The page's one border: everything outside of it, as an interface. `web.ts` is a browser, `tauri.ts` the desktop
 * program, `fake.ts` needs no server.
 */
import type { Connection } from "./connection";
import type { DesktopHost } from "./desktop";
import type { DraftStore, MergeDraft } from "./drafts";
import type { Exchange } from "./ide";
import type { Socket } from "./socket";
import type { TreeStore } from "./trees";

/**
 * What the page asks of the program that shows it. Screens and models take a `Host` and touch no network, storage,
 * clipboard, clock or chance beside it; `cargo xtask tidy` holds them to that. In the desktop program it is `tauri.ts`.
 */
export interface Host {
  /** One HTTP exchange with the server. */
  readonly exchange: Exchange;
  /** The one connection that carries terminals and events. */
  readonly socket: Socket;
  /** Whether the server can be worked with now. */
  readonly connection: Connection;
  /** Unsaved buffers, which survive a reload, a crash and being offline. */
  readonly drafts: DraftStore;
  /** Results of merges that are not saved, which survive as well. */
  readonly merges: DraftStore<MergeDraft>;
  /** What the files of workspaces were when they were last seen. */
  readonly trees: TreeStore;
  /** Who this page is among the pages that share `drafts`. */
  readonly tab: Promise<Tab>;
  /** Small things to find again: layout, theme, open tabs. */
  readonly kept: Kept;
  readonly clipboard: Clipboard;

  /** Where the server is, for people. */
  readonly address: string;

  /** Shows a web address outside of this page. */
  openExternal(url: string): void;
  /** Lets the person choose files; none when they think better of it. */
  pickFiles(wish?: FileWish): Promise<File[]>;
  /** Gives the person a file to keep. */
  saveFile(name: string, content: Blob): void;
  /** Gives the person what the server answers at a path below `/api/v1`, however large. */
  download(path: string): void;
  /** Loads the page again. */
  reload(): void;

  /** Milliseconds since 1970. */
  now(): number;
  /** Between 0 and 1, for spreading load. */
  random(): number;
  /** Bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** An id that no other will equal. */
  newId(): string;
  /** Runs something later; returns how to think better of it. */
  after(ms: number, run: () => void): () => void;
  /** Whether terminals are drawn as text of the page, and not by a graphics card. */
  readonly plain: boolean;
  /** What only the desktop program can do; null in a browser. */
  readonly desktop: DesktopHost | null;
}

export interface FileWish {
  accept?: string;
  many?: boolean;
  /** A whole folder; each file knows its path in it. */
  folder?: boolean;
}

/** One page among those that share the same storage. */
export interface Tab {
  /** The same after a reload; never that of another page that lives. */
  readonly id: string;
  /** Pages that live now; null where nobody can tell. */
  living(): Promise<Set<string> | null>;
}

/** Keys and short texts. What cannot be kept is forgotten, never an error. */
export interface Kept {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
}

export interface Clipboard {
  /** Rejects when the person or the browser forbids it. */
  write(text: string): Promise<void>;
  /** Rejects, too, where a page never may: there the person's own key is the only way. */
  read(): Promise<string>;
}

/** Sixteen bytes as the text of a random UUID. */
export function uuidOf(random: Uint8Array): string {
  const bytes = random.slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([a, b]) => hex.slice(a, b))
    .join("-");
}
