/** All terminals of the session as this page shows them: screens stay while tabs change and connections break. */
import { createStore } from "zustand/vanilla";
import type { Exit } from "../../host/generated/slipway/v1/terminal_pb";
import type { Host } from "../../host/host";
import { failureOf } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { type LinkState, TerminalStream } from "../../host/terminal";
import type { Paste } from "./paste";
import type { TerminalScreen } from "./screen";

export interface TerminalTab {
  id: string;
  session: string;
  /** What the person called it; wins over what the program says. */
  name: string;
  title: string;
  link: LinkState;
  message: string;
  exit: { code?: number; signal?: number; reason?: string } | null;
  run: string | null;
  ready: boolean;
}

export interface TerminalsState {
  tabs: readonly TerminalTab[];
  active: string | null;
  opening: boolean;
  problem: string;
}

export interface TerminalsOwner {
  confirmPaste(paste: Paste): Promise<boolean>;
}

interface Held {
  screen: TerminalScreen | null;
  stream: TerminalStream | null;
  making: Promise<TerminalScreen> | null;
}

const START_SIZE = { cols: 100, rows: 24 };

export class Terminals {
  readonly store = createStore<TerminalsState>(() => ({
    tabs: [],
    active: null,
    opening: false,
    problem: "",
  }));
  private readonly held = new Map<string, Held>();
  private readonly stop: () => void;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly owner: TerminalsOwner,
    private readonly host: Host,
  ) {
    this.stop = live.store.subscribe((state, before) => {
      if (state.terminals !== before.terminals) this.follow();
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
    const before = this.store.getState().active;
    if (before && before !== id) this.held.get(before)?.stream?.show(false);
    this.held.get(id)?.stream?.show(true);
    this.store.setState({ active: id });
  }

  /** Opens a shell; needs a session that is ready. */
  async open(): Promise<string | null> {
    const session = this.live.liveSession;
    if (!session || (session.state !== "ready" && session.state !== "idle")) return null;
    this.store.setState({ opening: true, problem: "" });
    try {
      const terminal = await this.live.calls.openTerminal(
        session.id,
        START_SIZE.cols,
        START_SIZE.rows,
      );
      this.add(terminal.id, session.id, terminal.title, null);
      this.activate(terminal.id);
      return terminal.id;
    } catch (error) {
      this.store.setState({ problem: failureOf(error).detail });
      return null;
    } finally {
      this.store.setState({ opening: false });
    }
  }

  /** The live output of a run: its terminal has the run's id. */
  watchRun(id: string, session: string): void {
    if (!this.tab(id)) this.add(id, session, "", id);
  }

  async close(id: string): Promise<void> {
    const tab = this.tab(id);
    this.drop(id);
    this.store.setState((state) => {
      const tabs = state.tabs.filter((one) => one.id !== id);
      const shells = tabs.filter((one) => !one.run);
      const active = state.active === id ? (shells.at(-1)?.id ?? null) : state.active;
      return { tabs, active };
    });
    if (tab && !tab.run)
      await this.live.calls.closeTerminal(tab.session, id).catch(() => undefined);
  }

  rename(id: string, name: string): void {
    this.change(id, { name });
  }

  signal(id: string, name: string): void {
    this.held.get(id)?.stream?.signal(name);
  }

  /** Puts text at the prompt as if typed. */
  async type(id: string, text: string): Promise<void> {
    await this.screen(id);
    this.held.get(id)?.stream?.input(new TextEncoder().encode(text));
    this.held.get(id)?.screen?.focus();
  }

  focus(id: string): void {
    this.held.get(id)?.screen?.focus();
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
    const { TerminalScreen } = await import("./screen");
    const screen = new TerminalScreen(
      {
        typed: (bytes) => held.stream?.input(bytes),
        resized: (cols, rows) => held.stream?.resize(cols, rows),
        titled: (title) => this.change(id, { title }),
        linked: (link, message) => this.change(id, { link, message }),
        ended: (exit) => this.change(id, { exit: plainExit(exit) }),
        confirmPaste: (paste) => this.owner.confirmPaste(paste),
      },
      this.host,
      tab.run !== null,
    );
    held.screen = screen;
    const target = { session: tab.session, terminal: id };
    const { cols, rows } = screen.terminal;
    held.stream = new TerminalStream(
      this.live.socket,
      target,
      this.host.newId(),
      screen,
      this.host,
      cols,
      rows,
    );
    this.change(id, { ready: true });
    return screen;
  }

  private follow(): void {
    const session = this.live.liveSession;
    const known = this.live.state.terminals;
    if (!session) {
      // What was shown stays readable until a new session brings new terminals.
      for (const tab of this.store.getState().tabs)
        if (!tab.exit && tab.link !== "over") this.change(tab.id, { link: "over", message: "" });
      return;
    }
    for (const tab of [...this.store.getState().tabs])
      if (tab.session !== session.id && !tab.run) void this.forget(tab.id);
    for (const terminal of known)
      if (!terminal.run) this.add(terminal.id, session.id, terminal.title, null);
    const shells = this.store.getState().tabs.filter((tab) => !tab.run);
    if (!this.store.getState().active && shells[0]) this.activate(shells[0].id);
  }

  private forget(id: string): void {
    this.drop(id);
    this.store.setState((state) => ({
      tabs: state.tabs.filter((tab) => tab.id !== id),
      active: state.active === id ? null : state.active,
    }));
  }

  private add(id: string, session: string, title: string, run: string | null): void {
    if (this.tab(id)) return;
    this.held.set(id, { screen: null, stream: null, making: null });
    const tab: TerminalTab = {
      id,
      session,
      name: "",
      title,
      link: "attaching",
      message: "",
      exit: null,
      run,
      ready: false,
    };
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
