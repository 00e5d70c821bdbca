/** xterm.js behind one door: bytes in, bytes out, our theme, and nothing that a replay could set off. */
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { type ITerminalOptions, Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { chordOf } from "../../bench/actions";
import type { Exit } from "../../host/generated/slipway/v1/terminal_pb";
import type { Host } from "../../host/host";
import type { LinkState, Screen } from "../../host/terminal";
import { PASTES, skipsShell } from "./keys";
import { binaryBytes, cleanPaste, type Paste, typedBytes } from "./paste";
import { terminalTheme } from "./theme";

export interface ScreenOwner {
  typed(bytes: Uint8Array): void;
  resized(cols: number, rows: number): void;
  titled(title: string): void;
  linked(state: LinkState, message: string): void;
  ended(exit: Exit): void;
  /** Several lines would run at once: asks first. */
  confirmPaste(paste: Paste): Promise<boolean>;
}

/** Tab belongs to the program, so the way out is told. */
const INPUT = "Terminal input, F6 leaves it";
const FIT_MS = 80;
/** Some milliseconds of the shortest lines. */
const PIECE_BYTES = 8 * 1024;
const SCROLLBACK = 10_000;
/** Answers of a terminal: the agent gives them, so that a viewer never types them again. */
const ASKED_CSI = [
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { final: "n" },
  { prefix: "?", final: "n" },
  { prefix: "?", intermediates: "$", final: "p" },
  { intermediates: "$", final: "p" },
  { prefix: ">", final: "q" },
];
/** Leaves a second screen that nobody is on: xterm.js hides the cursor before the first focus or a change of screens. */
const SHOW_CURSOR = "\u001b[?1047l";
/** What xterm.js says by itself when the focus comes or goes, to programs that asked for it. */
const FOCUS_REPORTS = ["\u001b[I", "\u001b[O"];

export class TerminalScreen implements Screen {
  readonly terminal: Terminal;
  readonly search = new SearchAddon();
  private readonly fit = new FitAddon();
  private webgl: WebglAddon | null = null;
  private observer: ResizeObserver | null = null;
  private fitTimer: ReturnType<typeof setTimeout> | undefined;
  private replays = false;
  private host: HTMLElement | null = null;
  private readonly themes: MutationObserver;

  constructor(
    private readonly owner: ScreenOwner,
    private readonly outside: Pick<
      Host,
      "clipboard" | "desktop" | "kept" | "openExternal" | "plain"
    >,
    /** What the kept output is called, which is for reading only; null where a program reads. */
    private readonly output: string | null = null,
  ) {
    const readOnly = output !== null;
    const options: ITerminalOptions = {
      allowProposedApi: true,
      cursorBlink: false,
      cursorStyle: readOnly ? "bar" : "block",
      cursorInactiveStyle: readOnly ? "none" : "outline",
      disableStdin: readOnly,
      convertEol: false,
      fontFamily: fontOf("--font-mono"),
      fontSize: 12.5,
      lineHeight: 1.15,
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK,
      theme: terminalTheme(),
      linkHandler: {
        activate: (_event, url) => this.follow(url),
        allowNonHttpProtocols: false,
      },
    };
    this.terminal = new Terminal(options);
    this.terminal.loadAddon(this.fit);
    this.terminal.loadAddon(this.search);
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.terminal.loadAddon(new WebLinksAddon((_event, url) => this.follow(url)));
    this.silence();
    this.terminal.attachCustomKeyEventHandler((event) => this.key(event));
    if (!readOnly) {
      this.terminal.write(SHOW_CURSOR);
      this.connect();
    }
    this.themes = new MutationObserver(() => {
      this.terminal.options.theme = terminalTheme();
    });
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class"] });
  }

  mount(host: HTMLElement): void {
    this.host = host;
    if (this.terminal.element) host.appendChild(this.terminal.element);
    else {
      this.terminal.open(host);
      this.terminal.textarea?.setAttribute("aria-label", this.output ?? INPUT);
      // Before xterm.js sees it: a paste is cleaned, and several lines are asked about.
      host.firstElementChild?.addEventListener(
        "paste",
        (event) => this.pasted(event as ClipboardEvent),
        true,
      );
    }
    this.draw();
    this.observer = new ResizeObserver(() => {
      clearTimeout(this.fitTimer);
      this.fitTimer = setTimeout(() => this.fitNow(), FIT_MS);
    });
    this.observer.observe(host);
    this.fitNow();
  }

  unmount(): void {
    this.observer?.disconnect();
    clearTimeout(this.fitTimer);
    this.webgl?.dispose();
    this.webgl = null;
    this.host = null;
    this.terminal.element?.remove();
  }

  dispose(): void {
    this.unmount();
    this.themes.disconnect();
    this.terminal.dispose();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Fits to its place; never to nothing. */
  fitNow(): void {
    const host = this.host;
    if (!host || host.clientWidth < 40 || host.clientHeight < 20) return;
    const size = this.fit.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || size.cols < 2 || size.rows < 1) return;
    if (size.cols === this.terminal.cols && size.rows === this.terminal.rows) return;
    this.terminal.resize(size.cols, size.rows);
    this.owner.resized(size.cols, size.rows);
  }

  /** The whole buffer as text, for people who read it with a screen reader. */
  text(): string {
    const buffer = this.terminal.buffer.active;
    const rows: string[] = [];
    for (let index = 0; index < buffer.length; index += 1) {
      const line = buffer.getLine(index);
      if (!line) continue;
      const text = line.translateToString(true);
      if (line.isWrapped && rows.length > 0) rows[rows.length - 1] += text;
      else rows.push(text);
    }
    return rows.join("\n").trimEnd();
  }

  async paste(text: string): Promise<void> {
    const paste = cleanPaste(text);
    if (paste.text === "" || this.terminal.options.disableStdin) return;
    const bracketed = this.terminal.modes.bracketedPasteMode;
    if (!bracketed && paste.lines > 1 && !(await this.owner.confirmPaste(paste))) return;
    const wrapped = bracketed ? `\u001b[200~${paste.text}\u001b[201~` : paste.text;
    this.owner.typed(typedBytes(wrapped));
    this.terminal.scrollToBottom();
    this.focus();
  }

  copy(): boolean {
    const text = this.terminal.getSelection();
    if (text === "") return false;
    void this.outside.clipboard.write(text).catch(() => undefined);
    return true;
  }

  clear(): void {
    this.terminal.clear();
  }

  /** Output is announced as it comes, twice as xterm.js does it; therefore only when asked for. */
  readAloud(on: boolean): void {
    this.terminal.options.screenReaderMode = on;
  }

  /** How matches of a search are marked. */
  marks() {
    const { yellow = "", blue = "" } = this.terminal.options.theme ?? {};
    return {
      matchBorder: yellow,
      matchOverviewRuler: yellow,
      activeMatchBackground: blue,
      activeMatchColorOverviewRuler: blue,
    };
  }

  // --- Screen ---------------------------------------------------------------------------------

  /** In pieces: between two of them xterm.js lets the page draw and hear keys, within one it does not. */
  write(bytes: Uint8Array, done: () => void): void {
    let rest = bytes;
    for (; rest.length > PIECE_BYTES; rest = rest.subarray(PIECE_BYTES))
      this.terminal.write(rest.subarray(0, PIECE_BYTES));
    this.terminal.write(rest, done);
  }

  reset(): void {
    this.terminal.reset();
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(cols, rows);
  }

  gap(bytes: bigint): void {
    const kibibytes = Math.max(1, Math.round(Number(bytes) / 1024));
    this.note(`${kibibytes} KiB of older output are no longer kept`);
  }

  colours(): { foreground: number; background: number } | null {
    const { foreground, background } = terminalTheme();
    const [text, ground] = [number(foreground), number(background)];
    return text === null || ground === null ? null : { foreground: text, background: ground };
  }

  replaying(active: boolean): void {
    this.replays = active;
    if (!active) queueMicrotask(() => this.fitNow());
  }

  exited(exit: Exit): void {
    // The program may have left the screen in any state. Leaving a second screen that it was not on would put the
    // cursor back to where it once was.
    if (this.terminal.buffer.active.type === "alternate") this.terminal.write("\u001b[?1049l");
    this.terminal.write(
      "\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?25h\u001b[0m",
    );
    this.note(exitWords(exit));
    this.terminal.options.disableStdin = true;
    this.terminal.options.cursorInactiveStyle = "none";
    this.owner.ended(exit);
  }

  link(state: LinkState, message: string): void {
    if (state === "over") this.replays = false;
    this.owner.linked(state, message);
  }

  // --- inside ---------------------------------------------------------------------------------

  private note(text: string): void {
    const column = this.terminal.buffer.active.cursorX;
    this.terminal.write(`${column > 0 ? "\r\n" : ""}\u001b[2m─── ${text} ───\u001b[0m\r\n`);
  }

  private connect(): void {
    this.terminal.onData((text) => {
      // A replay passes through modes that programs of the past asked for; the one at the end asked for no report.
      if (!this.replays || !FOCUS_REPORTS.includes(text)) this.owner.typed(typedBytes(text));
    });
    this.terminal.onBinary((text) => this.owner.typed(binaryBytes(text)));
    this.terminal.onTitleChange((title) => {
      if (!this.replays && title !== "") this.owner.titled(title);
    });
  }

  private pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    void this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  /** False keeps a key from the program. */
  private key(event: KeyboardEvent): boolean {
    // Where no program reads, Tab is the way on.
    if (event.key === "Tab" && this.terminal.options.disableStdin) return false;
    if (event.type !== "keydown") return true;
    const chord = chordOf(event);
    const copies = chord === "Ctrl+Shift+C" || (chord === "Ctrl+C" && this.terminal.hasSelection());
    if (copies) {
      this.copy();
      if (chord === "Ctrl+C") this.terminal.clearSelection();
      event.preventDefault();
      return false;
    }
    if (PASTES.includes(chord)) {
      // A browser's own paste event follows; the desktop's window has none for some of these keys.
      if (this.outside.desktop) {
        event.preventDefault();
        this.outside.clipboard.read().then(
          (text) => this.paste(text),
          () => undefined,
        );
      }
      return false;
    }
    return !skipsShell(chord);
  }

  private silence(): void {
    for (const id of ASKED_CSI) this.terminal.parser.registerCsiHandler(id, () => true);
    for (const number of [4, 10, 11, 12])
      this.terminal.parser.registerOscHandler(number, (data) => data.includes("?"));
    this.terminal.parser.registerOscHandler(52, () => true);
    this.terminal.parser.registerDcsHandler({ intermediates: "+", final: "q" }, () => true);
    this.terminal.parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => true);
  }

  /** WebGL where it works; the plain renderer when it cannot start or its context is lost. */
  private draw(): void {
    if (this.webgl || this.outside.kept.get("slipway.terminal.renderer") === "dom") return;
    if (this.outside.plain || !hasGpu()) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        webgl.dispose();
        this.webgl = null;
      });
      this.terminal.loadAddon(webgl);
      this.webgl = webgl;
    } catch {
      this.webgl = null;
    }
  }

  private follow(url: string): void {
    if (/^https?:\/\//i.test(url)) this.outside.openExternal(url);
  }
}

/** A colour of the theme as 0xRRGGBB. */
function number(colour: string | undefined): number | null {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour ?? "")?.[1];
  return hex === undefined ? null : Number.parseInt(hex, 16);
}

/** A software renderer is slower than the plain one. */
function hasGpu(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return false;
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software/i.test(name);
}

function fontOf(token: string): string {
  const family = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
  return family === "" ? "ui-monospace, monospace" : family;
}

/** How a program ended, in words. */
export function exitWords(exit: { code?: number; signal?: number; reason?: string }): string {
  if (exit.reason) return `Ended: ${exit.reason}`;
  if (exit.signal !== undefined) return `Ended by signal ${SIGNALS[exit.signal] ?? exit.signal}`;
  if (exit.code === 0 || exit.code === undefined) return "Ended";
  return `Ended with exit code ${exit.code}`;
}

const SIGNALS: Record<number, string> = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  6: "ABRT",
  9: "KILL",
  11: "SEGV",
  13: "PIPE",
  15: "TERM",
};
