/** All terminals of the session as this page shows them: screens stay while tabs change and connections break. */
import { createStore } from "zustand/vanilla";
import type { TerminalPlace } from "../../bench/bench";
import type { Terminal } from "../../host/generated/api/Terminal";
import type { Exit } from "../../host/generated/slipway/v1/terminal_pb";
import type { Host } from "../../host/host";
import { failureOf } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { type LinkState, TerminalStream } from "../../host/terminal";
import { type Paste, typedBytes } from "./paste";
import type { TerminalScreen } from "./screen";

export interface TerminalTab {
  id: string;
  session: string;
  place: TerminalPlace;
  /** What the person called it; wins over what the program says. */
  name: string;
  title: string;
  link: LinkState;
  message: string;
  exit: { code?: number; signal?: number; reason?: string } | null;
  run: string | null;
}

/** What is open beside a terminal: the search, its new name, or its text for screen readers. */
export type Aside = "find" | "rename" | "read";

export interface TerminalsState {
  tabs: readonly TerminalTab[];
  active: string | null;
  opening: boolean;
  problem: string;
  aside: { id: string; what: Aside } | null;
}

export interface TerminalsOwner {
  confirmPaste(paste: Paste): Promise<boolean>;
}

/** Makes the screen of a terminal; tests give one that draws nothing. */
export type MakeScreen = (
  owner: ConstructorParameters<typeof TerminalScreen>[0],
  host: Host,
) => Promise<TerminalScreen>;

interface Held {
  screen: TerminalScreen | null;
  stream: TerminalStream | null;
  making: Promise<TerminalScreen> | null;
  /** Whether it is drawn now. */
  drawn: boolean;
  /** Whether it takes the focus as soon as it is. */
  awaited: boolean;
}

const READ_ALOUD = "slipway.terminal.read";
const START_SIZE = { cols: 100, rows: 24 };

const drawnScreen: MakeScreen = async (owner, host) => {
  const { TerminalScreen } = await import("./screen");
  return new TerminalScreen(owner, host);
};

export class Terminals {
  readonly store = createStore<TerminalsState>(() => ({
    tabs: [],
    active: null,
    opening: false,
    problem: "",
    aside: null,
  }));
  private readonly held = new Map<string, Held>();
  private readonly stop: () => void;
  /** Lists that were asked for before a terminal was closed may still name it. */
  private readonly closed = new Set<string>();
  private pageSeen = true;
  /** The one that is drawn. */
  inSight: string | null = null;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly owner: TerminalsOwner,
    private readonly host: Host,
    private readonly makeScreen: MakeScreen = drawnScreen,
  ) {
    this.stop = live.store.subscribe((state, before) => {
      const { terminals, localTerminals } = before;
      if (state.terminals !== terminals || state.localTerminals !== localTerminals) this.follow();
    });
    this.follow();
  }

  dispose(): void {
    this.stop();
    for (const id of [...this.held.keys()]) this.drop(id);
  }

  tab(id: string): TerminalTab | null {
    return this.store.getState().tabs.find((tab) => tab.id === id) ?? null;
  }

  activate(id: string): void {
    this.store.setState({ active: id });
  }

  /** A terminal is drawn from now on, or no longer; one that nobody sees sets no pace. Kept output is drawn, too. */
  drawn(id: string, drawn: boolean): void {
    if (drawn) this.inSight = id;
    else if (this.inSight === id) this.inSight = null;
    const held = this.held.get(id);
    if (!held) return;
    held.drawn = drawn;
    held.stream?.show(drawn && this.pageSeen);
    if (drawn && held.awaited) this.focus(id);
  }

  /** The page came to the front, or went behind another one. */
  seen(seen: boolean): void {
    this.pageSeen = seen;
    for (const held of this.held.values()) held.stream?.show(held.drawn && seen);
  }

  /** Where a new one is expected: where the shown one runs, else in a session that can be used. */
  usualPlace(): TerminalPlace {
    const { active } = this.store.getState();
    const shown = active === null ? null : this.tab(active);
    if (shown && !shown.run && shown.link !== "over") return shown.place;
    return this.live.localSession === null || this.sessionFor("session") ? "session" : "here";
  }

  /** The session that terminals of a place belong to, while it can be used. */
  private sessionFor(place: TerminalPlace): string | null {
    if (place === "here") return this.live.localSession;
    const session = this.live.liveSession;
    return session?.state === "ready" || session?.state === "idle" ? session.id : null;
  }

  /** Opens a shell; in the session only while that is ready. */
  async open(place: TerminalPlace = "session"): Promise<string | null> {
    const session = this.sessionFor(place);
    if (session === null) return null;
    this.store.setState({ opening: true, problem: "" });
    try {
      const { cols, rows } = START_SIZE;
      const terminal = await this.live.calls.openTerminal(session, cols, rows);
      this.add(terminal.id, session, terminal.title, null);
      this.activate(terminal.id);
      return terminal.id;
    } catch (error) {
      this.store.setState({ problem: failureOf(error).detail });
      return null;
    } finally {
      this.store.setState({ opening: false });
    }
  }

  /** A new shell in the place of one that has ended, with the focus; null when none could be had. */
  async restart(id: string): Promise<string | null> {
    const { name = "", place } = this.tab(id) ?? {};
    const fresh = await this.open(place);
    if (fresh === null) return null;
    this.focus(fresh);
    this.rename(fresh, name);
    await this.close(id);
    return fresh;
  }

  /** Holds exactly these runs, whose terminals have the runs' ids; output of others is kept by the server. */
  watchRuns(runs: readonly { id: string; session: string }[]): void {
    for (const tab of this.store.getState().tabs)
      if (tab.run && !runs.some((run) => run.id === tab.run)) this.forget(tab.id);
    for (const run of runs) this.add(run.id, run.session, "", run.id);
  }

  async close(id: string): Promise<void> {
    const tab = this.tab(id);
    const before = this.shells().findIndex((one) => one.id === id);
    this.closed.add(id);
    this.forget(id);
    const rest = this.shells();
    const next = rest[before] ?? rest.at(-1);
    if (this.store.getState().active === null && next) this.activate(next.id);
    if (tab && !tab.run)
      await this.live.calls.closeTerminal(tab.session, id).catch(() => undefined);
  }

  rename(id: string, name: string): void {
    this.change(id, { name });
  }

  /** Opens or closes what stands beside a terminal. */
  aside(id: string, what: Aside | null): void {
    this.store.setState({ aside: what === null ? null : { id, what } });
  }

  /** The next or the one before, in a circle. */
  step(by: number): string | null {
    const shells = this.shells();
    const at = shells.findIndex((tab) => tab.id === this.store.getState().active);
    const next = shells[(at + by + shells.length) % Math.max(1, shells.length)];
    if (next) this.activate(next.id);
    return next?.id ?? null;
  }

  copy(id: string): void {
    this.held.get(id)?.screen?.copy();
  }

  /** As a paste by key; rejects when the clipboard is kept from the page. */
  async paste(id: string): Promise<void> {
    const text = await this.host.clipboard.read();
    this.focus(id);
    await this.held.get(id)?.screen?.paste(text);
  }

  /** Whether screen readers are told of output as it comes. */
  get readsAloud(): boolean {
    return this.host.kept.get(READ_ALOUD) === "yes";
  }

  readAloud(on: boolean): void {
    if (on) this.host.kept.set(READ_ALOUD, "yes");
    else this.host.kept.remove(READ_ALOUD);
    for (const held of this.held.values()) held.screen?.readAloud(on);
  }

  clear(id: string): void {
    this.held.get(id)?.screen?.clear();
  }

  /** Puts text at the prompt as if typed, as soon as there is one. */
  async type(id: string, text: string): Promise<void> {
    await this.screen(id);
    this.focus(id);
    this.held.get(id)?.stream?.input(typedBytes(text));
  }

  /** Gives a terminal the focus, at once or as soon as it is drawn. */
  focus(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    held.awaited = !held.drawn;
    if (held.drawn) held.screen?.focus();
  }

  /** The screen of a terminal, made when first shown; xterm.js is loaded then. */
  async screen(id: string): Promise<TerminalScreen> {
    const held = this.held.get(id);
    const tab = this.tab(id);
    if (!held || !tab) throw new Error("The terminal is closed.");
    held.making ??= this.make(id, tab, held);
    return held.making;
  }

  private async make(id: string, tab: TerminalTab, held: Held): Promise<TerminalScreen> {
    const screen = await this.makeScreen(
      {
        typed: (bytes) => held.stream?.input(bytes),
        resized: (cols, rows) => held.stream?.resize(cols, rows),
        titled: (title) => this.change(id, { title }),
        linked: (link, message) => this.change(id, { link, message }),
        ended: (exit) => this.change(id, { exit: plainExit(exit) }),
        confirmPaste: (paste) => this.owner.confirmPaste(paste),
      },
      this.host,
    );
    // Closed while xterm.js was loading.
    if (this.held.get(id) !== held) {
      screen.dispose();
      throw new Error("The terminal is closed.");
    }
    held.screen = screen;
    screen.readAloud(this.readsAloud);
    const target = { session: tab.session, terminal: id, near: tab.place === "here" };
    const { cols, rows } = screen.terminal;
    const { socket } = this.live;
    const client = this.host.newId();
    held.stream = new TerminalStream(socket, target, client, screen, this.host, cols, rows);
    held.stream.show(held.drawn && this.pageSeen);
    return screen;
  }

  private shells(): readonly TerminalTab[] {
    return this.store.getState().tabs.filter((tab) => !tab.run);
  }

  private follow(): void {
    const { localSession } = this.live;
    if (localSession !== null) this.bring(this.live.state.localTerminals, localSession);
    const session = this.live.liveSession;
    if (session) {
      for (const tab of this.shells())
        if (tab.place === "session" && tab.session !== session.id) this.forget(tab.id);
      this.bring(this.live.state.terminals, session.id);
    } else this.sessionEnded();
    const first = this.shells()[0];
    if (!this.store.getState().active && first && (session || first.place === "here"))
      this.activate(first.id);
  }

  /** What was shown stays readable until a new session brings new terminals. */
  private sessionEnded(): void {
    for (const tab of this.store.getState().tabs)
      if (tab.place === "session" && !tab.exit && tab.link !== "over")
        this.change(tab.id, { link: "over", message: "" });
  }

  private bring(terminals: readonly Terminal[], session: string): void {
    for (const terminal of terminals)
      if (!terminal.run && !this.closed.has(terminal.id))
        this.add(terminal.id, session, terminal.title, null);
  }

  private forget(id: string): void {
    this.drop(id);
    this.store.setState(({ tabs, active, aside }) => ({
      tabs: tabs.filter((tab) => tab.id !== id),
      active: active === id ? null : active,
      aside: aside?.id === id ? null : aside,
    }));
  }

  private add(id: string, session: string, title: string, run: string | null): void {
    if (this.tab(id)) return;
    this.held.set(id, { screen: null, stream: null, making: null, drawn: false, awaited: false });
    const made = { name: "", message: "", exit: null, link: "attaching" as const };
    const place = session === this.live.localSession ? "here" : "session";
    const tab: TerminalTab = { id, session, place, title, run, ...made };
    this.store.setState((state) => ({ tabs: [...state.tabs, tab] }));
  }

  private change(id: string, part: Partial<TerminalTab>): void {
    const tab = this.tab(id);
    if (!tab || (Object.keys(part) as (keyof TerminalTab)[]).every((key) => tab[key] === part[key]))
      return;
    this.store.setState((state) => ({
      tabs: state.tabs.map((one) => (one.id === id ? { ...one, ...part } : one)),
    }));
  }

  private drop(id: string): void {
    const held = this.held.get(id);
    this.held.delete(id);
    held?.stream?.close();
    held?.screen?.dispose();
  }
}

function plainExit(exit: Exit): NonNullable<TerminalTab["exit"]> {
  return {
    ...(exit.code === undefined ? {} : { code: exit.code }),
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    ...(exit.reason === "" ? {} : { reason: exit.reason }),
  };
}
