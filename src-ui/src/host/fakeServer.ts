/** The answers of a server that exists only in this page: enough of the API to use every screen. */
import { ExchangeError } from "./exchange";
import type { FakeState } from "./fake";
import { FILES, OUTPUT, type World, worldAt } from "./fakeData";
import { FakeFiles } from "./fakeFiles";
import type { Operation } from "./generated/api/Operation";
import type { Workspace } from "./generated/api/Workspace";
import { PASSWORD_CHARS_MIN, TRASH_DAYS } from "./generated/limits";
import type { Exchange } from "./ide";

export type Options = NonNullable<Parameters<Exchange>[2]>;
export interface Asked {
  /** What the pattern caught. */
  id: string;
  query: URLSearchParams;
  json: Record<string, unknown>;
  headers: Record<string, string>;
  body: Options["body"];
}
/** One address and what stands there. */
export type Route = [method: string, path: RegExp, answer: (asked: Asked) => unknown];

const PAGE = 4;

export class FakeServer {
  readonly world: World;
  private signedIn: boolean;
  private readonly firstAccount: boolean;
  readonly files: FakeFiles;
  private made = 100;

  constructor(
    state: FakeState,
    private readonly now: number,
  ) {
    this.world = worldAt(now);
    this.files = new FakeFiles(41, this.world.entries, FILES, () => now);
    this.firstAccount = state === "first-account";
    this.signedIn = !["signed-out", "first-account", "registration-closed"].includes(state);
    if (state === "registration-closed") this.world.registrationOpen = false;
    if (state !== "empty") return;
    this.world.workspaces = [];
    this.world.devices = this.world.devices.slice(0, 1);
    this.world.users = this.world.users.slice(0, 1);
  }

  async answer(method: string, path: string, options: Options): Promise<Response> {
    const answer = await answerOf(this.routes, method, path, options);
    if (!answer) throw refusal("not_found", "There is nothing here.", 404);
    return answer;
  }

  private readonly routes: Route[] = [
    ["GET", /^\/server$/, () => this.server()],
    ["GET", /^\/account$/, () => this.account()],
    ["POST", /^\/accounts$/, ({ json }) => this.register(json)],
    ["POST", /^\/sign-in$/, ({ json }) => this.signIn(json)],
    ["POST", /^\/sign-out$/, () => this.signOut()],
    ["PATCH", /^\/account$/, ({ json }) => Object.assign(this.world.account, json)],
    ["PUT", /^\/account\/password$/, () => null],
    ["DELETE", /^\/account$/, () => this.signOut()],
    ["GET", /^\/account\/devices$/, () => this.world.devices],
    ["DELETE", /^\/account\/devices\/(.+)$/, ({ id }) => this.revoke(id)],
    ["GET", /^\/admin\/users$/, () => ({ users: this.world.users })],
    ["PATCH", /^\/admin\/users\/([^/]+)$/, ({ id, json }) => this.user(id, json)],
    ["POST", /^\/admin\/users\/([^/]+)\/password-reset$/, () => null],
    ["PATCH", /^\/admin\/server$/, ({ json }) => this.open(json)],
    ["GET", /^\/workspaces$/, ({ query }) => this.list(query)],
    ["POST", /^\/workspaces$/, ({ json }) => this.add(json)],
    ["POST", /^\/workspaces\/import$/, ({ query }) => this.add({ name: query.get("name") })],
    ["PATCH", /^\/workspaces\/([^/]+)$/, ({ id, json }) => this.change(id, json)],
    ["POST", /^\/workspaces\/([^/]+)\/duplicate$/, ({ json }) => this.add(json)],
    ["DELETE", /^\/workspaces\/([^/]+)$/, ({ id }) => this.trash(id)],
    ["POST", /^\/workspaces\/([^/]+)\/recover$/, ({ id }) => this.recover(id)],
    ["DELETE", /^\/workspaces\/([^/]+)\/trash$/, ({ id }) => this.purge(id)],
    ["GET", /^\/workspaces\/([^/]+)$/, ({ id }) => this.one(id)],
    ["GET", /^\/workspaces\/[^/]+\/tree$/, () => this.files.tree()],
    ["GET", /^\/workspaces\/[^/]+\/changes$/, ({ query }) => this.changes(query)],
    ["GET", /^\/workspaces\/[^/]+\/files\/(.+)$/, ({ id, query }) => this.read(id, query)],
    ["GET", /^\/workspaces\/[^/]+\/history$/, ({ query }) => this.history(query)],
    ["PUT", /^\/workspaces\/[^/]+\/files\/(.+)$/, (asked) => this.write(asked)],
    ["POST", /^\/workspaces\/[^/]+\/commits$/, ({ json }) => this.commit(json)],
    ["POST", /^\/workspaces\/[^/]+\/restores$/, ({ json }) => this.restore(json)],
    ["POST", /^\/workspaces\/[^/]+\/uploads$/, (asked) => this.upload(asked)],
    ["GET", /^\/workspaces\/[^/]+\/session$/, () => this.world.session],
    ["POST", /^\/workspaces\/[^/]+\/session$/, () => this.world.session],
    ["GET", /^\/workspaces\/[^/]+\/runs$/, () => ({ runs: this.world.runs })],
    ["GET", /^\/workspaces\/[^/]+\/tasks$/, () => ({ tasks: [], problems: [] })],
    ["GET", /^\/runs\/[^/]+\/output$/, () => new Response(OUTPUT)],
    ["GET", /^\/sessions\/[^/]+\/terminals$/, () => ({ terminals: [this.terminal()] })],
    ["POST", /^\/sessions\/[^/]+\/terminals$/, () => this.terminal()],
  ];

  private server() {
    return {
      version: "0.1.0",
      protocol: 1,
      registration_open: this.world.registrationOpen,
      first_account: this.firstAccount && !this.signedIn,
      can_run: true,
    };
  }

  private account() {
    if (this.signedIn) return this.world.account;
    throw refusal("sign_in_required", "Sign in first.", 401);
  }

  private register(json: Record<string, unknown>) {
    if (json.email === "mo@example.org" && !this.firstAccount)
      throw ofField("email", "email_taken", "This e-mail address has an account.", 409);
    if (String(json.password).length < PASSWORD_CHARS_MIN)
      throw ofField(
        "password",
        "weak_password",
        `Use at least ${PASSWORD_CHARS_MIN} characters.`,
        422,
      );
    if (json.password === "password123")
      throw ofField("password", "weak_password", "Attackers try this one first.", 422);
    return this.signIn({});
  }

  private signIn(json: Record<string, unknown>) {
    if (json.password === "wrong")
      throw refusal("wrong_credentials", "E-mail and password do not match.", 401);
    this.signedIn = true;
    return { account: this.world.account, device: this.world.devices[0]?.id };
  }

  private signOut() {
    this.signedIn = false;
  }

  private revoke(id: string) {
    this.world.devices = this.world.devices.filter((device) => device.id !== id);
  }

  private user(id: string, json: Record<string, unknown>) {
    return Object.assign(this.world.users.find((user) => user.id === id) ?? {}, json);
  }

  private open(json: Record<string, unknown>) {
    this.world.registrationOpen = json.registration_open === true;
  }

  private list(query: URLSearchParams) {
    const filter = query.get("filter") ?? "active";
    const kind = (row: Workspace) =>
      row.deleted_at ? "trash" : row.archived_at ? "archived" : "active";
    const rows = this.world.workspaces.filter((row) => kind(row) === filter);
    const from = Number(query.get("cursor") ?? 0);
    const more = from + PAGE < rows.length ? { next: String(from + PAGE) } : {};
    return { workspaces: rows.slice(from, from + PAGE), ...more };
  }

  private add(json: Record<string, unknown>): Workspace {
    const name = String(json.name);
    if (this.world.workspaces.some((row) => row.name === name))
      throw ofField("name", "workspace_name_taken", "You have a workspace of this name.", 409);
    const at = new Date(this.now).toISOString();
    this.made += 1;
    const row: Workspace = {
      id: `018f0000-0000-7000-8000-000000000${this.made}`,
      name,
      template: (json.template as Workspace["template"] | undefined) ?? "import",
      head: 1,
      entries: 4,
      bytes: 5_120,
      created_at: at,
      changed_at: at,
    };
    this.world.workspaces.unshift(row);
    return row;
  }

  private one(id: string): Workspace {
    const row = this.world.workspaces.find((one) => one.id === id);
    if (!row) throw refusal("not_found", "There is no such workspace.", 404);
    return row;
  }

  private change(id: string, json: Record<string, unknown>) {
    const row = this.one(id);
    if (typeof json.name === "string") row.name = json.name;
    if (json.archived === true) row.archived_at = new Date(this.now).toISOString();
    if (json.archived === false) delete row.archived_at;
    return row;
  }

  private trash(id: string) {
    const row = this.one(id);
    row.deleted_at = new Date(this.now).toISOString();
    row.purge_at = new Date(this.now + TRASH_DAYS * 24 * 3_600_000).toISOString();
  }

  private recover(id: string) {
    const row = this.one(id);
    delete row.deleted_at;
    delete row.purge_at;
    return row;
  }

  private purge(id: string) {
    this.world.workspaces = this.world.workspaces.filter((row) => row.id !== id);
  }

  private read(path: string, query: URLSearchParams) {
    const revision = query.get("revision");
    return this.files.read(path, revision === null ? undefined : Number(revision));
  }

  private history(query: URLSearchParams) {
    return { versions: this.files.history(query.get("path") ?? "") };
  }

  private changes(query: URLSearchParams) {
    return this.files.since(Number(query.get("after")));
  }

  private async write({ id, headers, body }: Asked) {
    const match = headers["if-match"]?.replaceAll('"', "") ?? null;
    return this.files.write(id, await textOf(body), match);
  }

  private commit(json: Record<string, unknown>) {
    return this.files.commit(json.operations as Operation[]);
  }

  private restore(json: Record<string, unknown>) {
    const path = String(json.path);
    return this.files.restore(Number(json.revision), path, String(json.from ?? path));
  }

  private async upload({ query, headers, body }: Asked) {
    const form = await new Response(body ?? "", { headers }).formData();
    const folder = query.get("folder");
    const files = form.getAll("file").filter((one) => one instanceof File);
    const stored = files.map(async (file) => {
      const path = [folder, file.name].filter(Boolean).join("/");
      const { entry } = this.files.write(path, await file.text(), "*");
      return { path: file.name, entry, result: "applied" };
    });
    return { files: await Promise.all(stored), revision: this.files.head };
  }

  private terminal() {
    return { id: "018f0000-0000-7000-8000-0000000000c1", title: "bash", cols: 100, rows: 24 };
  }
}

/** What one of the routes answers; null when none is meant. */
export async function answerOf(
  routes: readonly Route[],
  method: string,
  path: string,
  options: Options,
): Promise<Response | null> {
  const [place = "", search = ""] = path.split("?");
  for (const [verb, pattern, answer] of routes) {
    const found = verb === method ? pattern.exec(place) : null;
    if (!found) continue;
    const json = (options.json ?? {}) as Record<string, unknown>;
    const id = decodeURIComponent(found[1] ?? "");
    const { headers = {}, body } = options;
    const value = await answer({ id, query: new URLSearchParams(search), json, headers, body });
    return value instanceof Response ? value : Response.json(value ?? null);
  }
  return null;
}

function textOf(body: Options["body"]): Promise<string> {
  return new Response(body ?? "").text();
}

export function refusal(code: string, detail: string, status: number): ExchangeError {
  return new ExchangeError(code, detail, status);
}

function ofField(field: string, code: string, detail: string, status: number): ExchangeError {
  return new ExchangeError(code, detail, status, { [field]: detail });
}
