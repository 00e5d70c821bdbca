/** The desktop program of the fake host: workspaces of a machine that is not there, and how they stand. */
import { type DesktopHost, KeptConnection } from "./desktop";
import type { FakeState } from "./fake";
import {
  advance,
  localWorkspaces,
  MAIN,
  PLACES,
  type Place,
  syncOf,
  UNSENT,
  UNSENT_TEXT,
  unsentAt,
} from "./fakeDesktopData";
import { answerOf, type FakeServer, type Options, type Route, refusal } from "./fakeServer";
import type { Conflict } from "./generated/api/Conflict";
import type { Desktop } from "./generated/api/Desktop";
import type { LocalWorkspace } from "./generated/api/LocalWorkspace";
import type { Run } from "./generated/api/Run";
import type { Sync } from "./generated/api/Sync";
import type { Told } from "./generated/api/Told";

/** From one look at what moves to the next. */
const MOMENT_MS = 200;
/** What the lists of this machine are read by; in hard times they do not come. */
const LISTS = /^\/desktop\/workspaces$|^\/workspaces\/[^/]+\/(sync|conflicts)$/;

/** What is asked of the server, and of this machine with another word. */
const VERSIONS = /^\/workspaces\/[^/]+\/(history\?|files\/.*[?&]revision=)/;
const OF_HERE = /[?&]of=here(&|$)/;

/** What only a server answers, to who is signed in. */
const SERVERS = /^\/(workspaces$|workspaces\?|account|workspaces\/[^/]+\/(session|history|tasks))/;

export class FakeDesktop {
  readonly desktop: Desktop;
  workspaces: LocalWorkspace[];
  readonly syncs = new Map<string, Sync>();
  conflicts: Conflict[] = [];
  readonly connection = new KeptConnection(() => this.given.push("retried"));
  private given: string[] = [];
  private readonly bases = new Map<string, string>();
  private readonly listeners = new Set<(told: Told) => void>();
  private readonly terminals = new Map<string, string[]>();
  private readonly queued: Run[] = [];
  private made = 10;
  /** Where the server's files stood at the beginning; what is saved here is counted from there. */
  private readonly first: number;
  /** Even this machine answers slowly, or not at all. */
  private readonly hard: boolean;

  constructor(
    state: FakeState,
    private readonly server: FakeServer,
    private readonly now: number,
  ) {
    this.hard = state === "loading" || state === "error";
    this.first = server.files.head;
    const { account } = server.world;
    const address = "https://slipway.example.org";
    const signedIn = !["empty", "signed-out"].includes(state);
    const there = { address, open_to_readers: false };
    const known = signedIn ? { ...there, account, kept: "keychain" as const } : there;
    this.desktop = {
      version: "0.1.0",
      machine: "quay",
      home: "/home/mo/Slipway",
      keychain: state === "signed-out" ? "absent" : "ready",
      ...(state === "empty" ? {} : { server: known }),
    };
    this.workspaces = state === "empty" ? [] : localWorkspaces(now, state);
    for (const one of this.workspaces) this.syncs.set(one.id, syncOf(one, now));
    if (state !== "empty") this.bringConflicts();
    this.become(signedIn ? (state === "offline" ? "waiting" : "online") : "idle");
    // The second try is the first that counts.
    if (state === "offline") this.become("waiting");
  }

  hostWith(given: string[]): DesktopHost {
    this.given = given;
    return {
      told: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      pickFolder: async () => "/home/mo/code/tide-notes",
      showFolder: (path) => given.push(`showed ${path}`),
      painted: () => given.push("painted"),
      leave: () => given.push("left"),
    };
  }

  tell(told: Told): void {
    if (told.told === "connection") this.connection.heard(told);
    for (const listener of this.listeners) listener(told);
  }

  become(state: Extract<Told, { told: "connection" }>["state"]): void {
    const waits = state === "waiting" ? { next_at: this.now + 12_000 } : {};
    this.tell({ told: "connection", state, ...waits });
  }

  /** What is on this machine and needs no server. */
  answersItself(method: string, path: string): boolean {
    if (this.hard && method === "GET" && LISTS.test(path)) return false;
    if (VERSIONS.test(path)) return OF_HERE.test(path);
    return (
      path.startsWith("/desktop") ||
      /^\/workspaces\/[^/]+\/(sync|conflicts|upload|tree|changes|files|commits|runs)/.test(path) ||
      this.workspaces.some((one) => path.startsWith(`/sessions/${one.terminals}`))
    );
  }

  async answer(method: string, path: string, options: Options): Promise<Response> {
    const ofHere = OF_HERE.test(path);
    const own = ofHere ? await answerOf(this.routesOfHere, method, path, options) : null;
    const answer = own ?? (await answerOf(this.routes, method, path, options));
    if (answer) return answer;
    const id = /^\/workspaces\/([^/]+)\/(?:session|runs|history|tasks)/.exec(path)?.[1];
    const local = this.workspaces.find((one) => one.id === id);
    if (local && !local.remote)
      throw refusal("only_here", "This workspace is only on this computer.", 409);
    if (!this.desktop.server?.account && SERVERS.test(path))
      throw refusal("sign_in_required", "Sign in first.", 401);
    return this.server.answer(method, path, options);
  }

  private readonly routes: Route[] = [
    ["GET", /^\/desktop$/, () => this.desktop],
    ["PUT", /^\/desktop\/server$/, ({ json }) => this.choose(String(json.address))],
    ["GET", /^\/desktop\/workspaces$/, () => ({ workspaces: this.workspaces })],
    ["POST", /^\/desktop\/workspaces$/, ({ json }) => this.add(String(json.name), null)],
    ["DELETE", /^\/desktop\/workspaces\/(.+)$/, ({ id }) => this.forget(id)],
    ["POST", /^\/desktop\/workspaces\/(.+)\/again$/, ({ id }) => this.again(id)],
    ["POST", /^\/workspaces\/([^/]+)\/runs$/, ({ id, json }) => this.run(id, json)],
    ["GET", /^\/workspaces\/[^/]+\/runs$/, () => this.runs()],
    ["POST", /^\/desktop\/open$/, ({ json }) => this.open(String(json.folder))],
    ["POST", /^\/desktop\/clone$/, ({ json }) => this.clone(String(json.workspace))],
    ["POST", /^\/sign-in$/, ({ json, headers }) => this.signIn(json, headers)],
    ["POST", /^\/sign-out$/, () => this.signOut()],
    ["GET", /^\/workspaces\/([^/]+)\/sync$/, ({ id }) => this.syncNow(id)],
    ["POST", /^\/workspaces\/([^/]+)\/sync\/(?:confirm|bring-back)$/, ({ id }) => this.decide(id)],
    ["POST", /^\/workspaces\/([^/]+)\/sync\/arrivals\/\d+\/undo$/, ({ id }) => this.undo(id)],
    ["GET", /^\/workspaces\/(018f1[^/]+)$/, ({ id }) => this.described(id)],
    [
      "GET",
      /^\/workspaces\/([^/]+)\/conflicts$/,
      ({ id }) => ({ conflicts: this.conflictsOf(id) }),
    ],
    ["GET", /^\/workspaces\/[^/]+\/conflicts\/base$/, ({ query }) => this.base(query)],
    [
      "POST",
      /^\/workspaces\/([^/]+)\/conflicts\/resolve$/,
      ({ id, json }) => this.resolve(id, String(json.copy), json.keep_copy === true),
    ],
    ["POST", /^\/workspaces\/([^/]+)\/upload$/, ({ id }) => this.upload(id)],
    ["GET", /^\/sessions\/(018f1[^/]+)\/terminals$/, ({ id }) => this.shells(id)],
    ["POST", /^\/sessions\/(018f1[^/]+)\/terminals$/, ({ id }) => this.shell(id)],
  ];

  /** Those of which a server has the same, of its own. */
  private readonly routesOfHere: Route[] = [
    ["GET", /^\/workspaces\/[^/]+\/history$/, ({ query }) => this.versions(query)],
    ["GET", /^\/workspaces\/[^/]+\/files\/(.+)$/, ({ id, query }) => this.version(id, query)],
  ];

  /** Everything that was saved here, and before it something that no server got. */
  private versions(query: URLSearchParams) {
    const { files } = this.server;
    const path = query.get("path") ?? "";
    const saves = files.saves(path).map(({ previous: _none, ...save }) => ({
      ...save,
      revision: save.revision - this.first + UNSENT,
    }));
    const isMain = path === MAIN || saves.some(({ from }) => from === MAIN);
    return { versions: [...saves, ...(isMain ? [unsentAt(this.now)] : [])] };
  }

  private version(path: string, query: URLSearchParams) {
    const number = Number(query.get("revision"));
    if (number === UNSENT) return new Response(UNSENT_TEXT);
    return this.server.files.read(path, number - UNSENT + this.first);
  }

  private described(id: string) {
    const { name } = this.local(id);
    return { ...this.server.world.workspaces[0], id, name };
  }

  private conflictsOf(id: string): readonly Conflict[] {
    return this.local(id).name === "harbor-tides" ? this.conflicts : [];
  }

  private choose(address: string) {
    if (/nowhere/.test(address)) throw refusal("network", "Nothing answers at this address.", 502);
    this.desktop.server = {
      address: /^https?:/.test(address) ? address : `https://${address}`,
      open_to_readers: address.startsWith("http:"),
    };
    this.tell({ told: "account" });
    return this.server.answer("GET", "/server", {});
  }

  private async signIn(json: Record<string, unknown>, headers: Record<string, string>) {
    const kept = headers["slipway-token-kept"];
    if (this.desktop.keychain !== "ready" && !kept)
      throw refusal("keychain_unavailable", "This computer has no keychain that can be used.", 409);
    const answer = await this.server.answer("POST", "/sign-in", { json });
    const { account } = this.server.world;
    const at = kept === "file" || kept === "memory" ? kept : ("keychain" as const);
    this.desktop.server = { ...this.there, account, kept: at };
    this.tell({ told: "account" });
    this.become("online");
    return answer;
  }

  /** The server, and nobody who is signed in there. */
  private get there() {
    const { address = "", open_to_readers = false } = this.desktop.server ?? {};
    return { address, open_to_readers };
  }

  private signOut() {
    this.desktop.server = this.there;
    this.tell({ told: "account" });
    this.become("idle");
  }

  private add(name: string, place: Partial<Place> | null): LocalWorkspace {
    this.made += 1;
    const folder = `${this.desktop.home}/${name}`;
    const made = PLACES.local({ name, folder, number: this.made, ...place }, this.now);
    this.workspaces.unshift(made);
    this.syncs.set(made.id, syncOf(made, this.now));
    this.tell({ told: "workspaces" });
    return made;
  }

  private open(folder: string): LocalWorkspace {
    const known = this.workspaces.find((one) => one.folder === folder);
    return known ?? this.add(folder.split("/").at(-1) ?? folder, { folder });
  }

  private forget(id: string) {
    this.workspaces = this.workspaces.filter((one) => one.id !== id);
    this.tell({ told: "workspaces" });
  }

  private again(id: string): LocalWorkspace {
    const local = this.local(id);
    local.there = true;
    local.sync = { state: "online", up: 0, down: 12, blocked: 0, conflicts: 0 };
    this.syncs.set(id, syncOf(local, this.now));
    this.moved(id);
    return local;
  }

  /** Without its server a run waits, as asked. */
  private run(workspace: string, json: Record<string, unknown>): Run {
    const [old] = this.server.world.runs;
    if (!old) throw refusal("not_found", "Nothing ran yet.", 404);
    this.made += 1;
    const { session: _session, exit: _exit, duration_ms: _took, ...was } = old;
    const { peak_memory_bytes: _peak, ...rest } = was;
    const id = `018f3000-0000-7000-8000-0000000000${this.made}`;
    const made: Run = { ...rest, id, workspace, state: "queued", ...json, revision: 0 };
    if (json.queue === true) this.queued.push(made);
    return made;
  }

  private runs() {
    const away = this.connection.status.state !== "online";
    return { runs: away ? this.queued : [...this.queued, ...this.server.world.runs] };
  }

  private clone(workspace: string): LocalWorkspace {
    const row = this.server.world.workspaces.find((one) => one.id === workspace);
    const made = this.add(row?.name ?? "clone", null);
    made.remote = { address: this.desktop.server?.address ?? "", workspace };
    made.sync = { state: "online", up: 0, down: 12, blocked: 0, conflicts: 0 };
    return made;
  }

  private upload(id: string) {
    const local = this.local(id);
    local.remote = {
      address: this.desktop.server?.address ?? "",
      workspace: this.server.world.workspaces[0]?.id ?? "",
    };
    local.sync = { ...local.sync, state: "online" };
    this.syncs.set(id, syncOf(local, this.now));
    this.moved(id);
    return local;
  }

  private syncNow(id: string): Sync | undefined {
    const sync = this.syncs.get(id);
    const now = sync && { ...sync };
    if (sync && advance(this.local(id), sync))
      setTimeout(() => this.tell({ told: "sync", workspace: id }), MOMENT_MS);
    return now;
  }

  private decide(id: string) {
    const sync = this.syncs.get(id);
    delete sync?.held;
    this.moved(id);
  }

  private undo(id: string) {
    const sync = this.syncs.get(id);
    const [first] = sync?.arrivals ?? [];
    if (sync) sync.arrivals = sync.arrivals.slice(1);
    this.moved(id);
    return { many: first?.many ?? 0, left: [] };
  }

  private base(query: URLSearchParams) {
    const base = this.bases.get(query.get("copy") ?? "");
    if (base === undefined) throw refusal("not_found", "Nobody has it any more.", 404);
    return new Response(base);
  }

  private resolve(id: string, copy: string, keeps: boolean) {
    this.conflicts = this.conflicts.filter((one) => one.copy !== copy);
    if (!keeps) this.server.files.commit([{ path: copy, executable: false }]);
    for (const one of [this.syncs.get(id), this.local(id).sync])
      if (one) one.conflicts = this.conflicts.length;
    this.moved(id);
  }

  private shells(session: string) {
    const ids = this.terminals.get(session) ?? [];
    return { terminals: ids.map((id) => ({ id, title: "bash", cols: 100, rows: 24 })) };
  }

  private shell(session: string) {
    this.made += 1;
    const id = `018f2000-0000-7000-8000-0000000000${this.made}`;
    this.terminals.set(session, [...(this.terminals.get(session) ?? []), id]);
    return { id, title: "bash", cols: 100, rows: 24 };
  }

  /** Files that both sides changed, as they lie on the disk. */
  private bringConflicts(): void {
    const { files } = this.server;
    for (const { conflict, base, mine, theirs } of PLACES.conflicts(this.now)) {
      if (theirs !== null) files.write(conflict.path, theirs, null);
      if (mine !== null) files.write(conflict.copy, mine, null);
      if (base !== null) this.bases.set(conflict.copy, base);
      this.conflicts.push(conflict);
    }
  }

  private local(id: string): LocalWorkspace {
    const found = this.workspaces.find((one) => one.id === id);
    if (!found) throw refusal("not_found", "There is no such workspace.", 404);
    return found;
  }

  private moved(id: string): void {
    this.tell({ told: "sync", workspace: id });
    this.tell({ told: "workspaces" });
  }
}
