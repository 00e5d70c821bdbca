/** The desktop program as host: the only file that knows Tauri. Requests and frames end in the program's own process. */
import { Channel, invoke } from "@tauri-apps/api/core";
import { after, pickFiles, randomBytes, storedTexts } from "./browser";
import { type DesktopHost, KeptConnection, ToldLine } from "./desktop";
import { openDrafts } from "./drafts";
import { httpExchange } from "./exchange";
import { bodyOf, framesIn, responseOf } from "./frames";
import type { Desktop } from "./generated/api/Desktop";
import type { Told } from "./generated/api/Told";
import { type Host, uuidOf } from "./host";
import { Socket, type Wire } from "./socket";
import type { TreeStore } from "./trees";

/** There is one window, so that what is kept is always its own. */
const TAB = "desktop";

export function tauriHost(): Host {
  const world = { now: Date.now, random: Math.random, after };
  const socket = new Socket({ dial: () => new ProgramWire(), ...world });
  const connection = new KeptConnection(() => void invoke("retry"));
  const exchange = httpExchange({
    fetch: command,
    upload: async (url, request, progress) => {
      const answer = await command(url, request);
      const total = request.body instanceof Blob ? request.body.size : request.body.byteLength;
      progress(total, total);
      return answer;
    },
    after,
    // The other end is this program itself: it does not go silent.
    onSilence: () => () => undefined,
  });
  const line = new ToldLine();
  let address = "";
  const askAddress = async () => {
    const { server } = (await (await exchange("GET", "/desktop")).json()) as Desktop;
    address = server?.address ?? "";
  };
  const hear = (told: Told) => {
    if (told.told === "connection") connection.heard(told);
    if (told.told === "account") askAddress().catch(() => undefined);
    line.hear(told);
  };
  void invoke("listen", { told: new Channel<Told>(hear) });
  askAddress().catch(() => undefined);
  nameWindow();
  return {
    exchange,
    socket,
    connection,
    drafts: openDrafts("slipway-drafts"),
    merges: openDrafts("slipway-merges"),
    trees: NO_TREES,
    tab: Promise.resolve({ id: TAB, living: async () => new Set([TAB]) }),
    kept: storedTexts,
    clipboard: { write: (text) => invoke("copy", { text }), read: () => invoke("paste") },
    get address() {
      return address;
    },
    openExternal: (url) => void invoke("open_external", { url }),
    pickFiles,
    saveFile: async (name, content) => {
      const bytes = new Uint8Array(await content.arrayBuffer());
      await invoke("save_file", bytes, { headers: { "slipway-name": encodeURIComponent(name) } });
    },
    download: (path) => void invoke("download", { path }),
    reload: () => location.reload(),
    now: Date.now,
    random: Math.random,
    randomBytes,
    newId: () => uuidOf(randomBytes(16)),
    after,
    plain: navigator.webdriver || isWebKitGtk(),
    desktop: desktopWith(line),
  };
}

function desktopWith(line: ToldLine): DesktopHost {
  return {
    told: (listener) => line.listen(listener),
    pickFolder: () => invoke<string | null>("pick_folder"),
    showFolder: (path) => void invoke("show_folder", { path }),
    painted: () => void invoke("painted"),
    leave: () => void invoke("leave"),
  };
}

/** The files lie on this machine, where they are always found. */
const NO_TREES: TreeStore = {
  put: async () => undefined,
  remove: async () => undefined,
  get: async () => null,
};

/** One exchange. Nobody can take it back, but nobody has to wait for its end either. */
async function command(url: string, request: RequestInit): Promise<Response> {
  const headers = {
    "slipway-method": request.method ?? "GET",
    "slipway-path": url.slice("/api/v1".length),
    "slipway-headers": JSON.stringify(request.headers ?? {}),
  };
  const { signal } = request;
  const unwanted = new Promise<never>((_, fail) => {
    if (signal?.aborted) fail(signal.reason);
    signal?.addEventListener("abort", () => fail(signal.reason), { once: true });
  });
  const asked = bodyOf(request.body).then((body) =>
    invoke<ArrayBuffer>("exchange", body, { headers }),
  );
  return responseOf(await Promise.race([asked, unwanted]));
}

/** The frames of the page's one socket, to the program and back. */
class ProgramWire implements Wire {
  binaryType = "";
  onopen: Wire["onopen"] = null;
  onmessage: Wire["onmessage"] = null;
  onclose: Wire["onclose"] = null;
  onerror: Wire["onerror"] = null;
  private over = false;
  private readonly number: Promise<number>;

  constructor() {
    const frames = new Channel<ArrayBuffer>((message) => this.heard(message));
    this.number = invoke<number>("dial", { frames });
    this.number.then(
      () => this.onopen?.(),
      () => this.lost(),
    );
  }

  get readyState(): number {
    return this.over ? 3 : 1;
  }

  /** The program takes frames in the order of the calls. */
  send(data: Uint8Array<ArrayBuffer>): void {
    this.number
      .then((wire) => invoke("send", data, { headers: { "slipway-wire": String(wire) } }))
      .catch(() => this.lost());
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.number.then((wire) => invoke("hang_up", { wire })).catch(() => undefined);
    this.onclose?.({ code: 1000 });
  }

  /** A message without any frame is the wire's end. */
  private heard(message: ArrayBuffer): void {
    if (this.over) return;
    const frames = framesIn(message);
    if (frames.length === 0) this.lost();
    for (const data of frames) this.onmessage?.({ data });
  }

  private lost(): void {
    if (this.over) return;
    this.over = true;
    this.onclose?.({ code: 1006 });
  }
}

/** The window is called as the page is. */
function nameWindow(): void {
  const name = () => void invoke("title", { text: document.title });
  const title = document.querySelector("title");
  if (title) new MutationObserver(name).observe(title, { childList: true });
}

/** There a graphics card makes terminals stutter. */
function isWebKitGtk(): boolean {
  return /linux/i.test(navigator.userAgent) && !/chrom/i.test(navigator.userAgent);
}
