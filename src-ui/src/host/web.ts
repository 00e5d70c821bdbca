/** A browser as host: the only file that reaches for its network, storage, clipboard, clock and chance. */
import { after, pickFiles, randomBytes, storedTexts } from "./browser";
import { DialedConnection } from "./connection";
import { openDrafts } from "./drafts";
import { httpExchange } from "./exchange";
import { type Host, uuidOf } from "./host";
import { Socket, type SocketWorld, type Wire } from "./socket";
import { openTab } from "./tabs";
import { openTrees } from "./trees";

/** How long a saved file's address stays valid, for browsers that ask before they write. */
const SAVE_MS = 60_000;

/** The page has better things to do first. */
const SHELL_MS = 5_000;

export function webHost(): Host {
  const socket = new Socket(socketWorld);
  after(SHELL_MS, keepShell);
  const http = httpExchange({
    fetch: (url, request) => fetch(url, request),
    upload,
    after,
    onSilence: (listener) => socket.onSilence(listener),
  });
  const connection = new DialedConnection(socketWorld, socket, http);
  addEventListener("online", () => connection.retry());
  addEventListener("offline", () => connection.retry());
  const newId = () => uuidOf(randomBytes(16));
  return {
    exchange: connection.exchange,
    socket,
    connection,
    drafts: openDrafts("slipway-drafts"),
    merges: openDrafts("slipway-merges"),
    trees: openTrees(),
    // Only pages that nobody can listen to have locks: not those over plain HTTP from elsewhere.
    tab: openTab({ storage: sessionStorage, locks: navigator.locks ?? null, newId, after }),
    kept: storedTexts,
    clipboard: { write, read: async () => navigator.clipboard.readText() },
    address: location.host,
    openExternal: (url) => void open(url, "_blank", "noopener,noreferrer"),
    pickFiles,
    saveFile: (name, content) => {
      const url = URL.createObjectURL(content);
      follow(url, name);
      after(SAVE_MS, () => URL.revokeObjectURL(url));
    },
    download: (path) => follow(`/api/v1${path}`, ""),
    reload: () => location.reload(),
    now: Date.now,
    random: Math.random,
    randomBytes,
    newId,
    after,
    // What a program that drives the page reads would be hidden on a graphics card.
    plain: navigator.webdriver,
    desktop: null,
  };
}

const socketWorld: SocketWorld = {
  dial: () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return new WebSocket(`${scheme}://${location.host}/api/v1/ws`) as unknown as Wire;
  },
  now: Date.now,
  random: Math.random,
  after,
};

/** Keeps the page itself for reloads without a server, where the address is safe enough for a browser to allow it. */
function keepShell(): void {
  if (import.meta.env.PROD)
    // A page that cannot be kept works as long as the server does.
    navigator.serviceWorker?.register("/shell.js").catch(() => undefined);
}

/** The modern clipboard where the page may use it, the old command elsewhere (plain HTTP). */
async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!copied) throw new Error("The browser forbids the clipboard.");
}

function follow(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

function upload(
  url: string,
  request: RequestInit & { body: Blob | Uint8Array<ArrayBuffer>; signal: AbortSignal },
  progress: (sent: number, total: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(request.method ?? "POST", url);
    sending.responseType = "blob";
    for (const [name, value] of Object.entries((request.headers ?? {}) as Record<string, string>))
      sending.setRequestHeader(name, value);
    sending.upload.onprogress = (event) => progress(event.loaded, event.total);
    sending.onload = () => {
      const { status, statusText } = sending;
      const body = status === 204 || status === 304 ? null : (sending.response as Blob);
      resolve(new Response(body, { status, statusText }));
    };
    sending.onerror = () => reject(new TypeError("The upload broke off."));
    sending.onabort = () => reject(request.signal.reason);
    request.signal.addEventListener("abort", () => sending.abort(), { once: true });
    sending.send(request.body);
  });
}
