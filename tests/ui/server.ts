// A real slipway-server on a throw-away data directory; it can be killed and started again in mid-journey.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test as base, expect, type Page } from "@playwright/test";

function part(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run \`cargo xtask test browser\``);
  return value;
}

export class Server {
  private child: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), "slipway-ui-"));
  private readonly log = join(this.folder, "server.log");
  private listen = "127.0.0.1:0";
  base = "";

  /** Starts it; after the first start always on the same port, so that open pages find it again. */
  async start(): Promise<void> {
    const args = ["--listen", this.listen, "--data-dir", join(this.folder, "data")];
    args.push("--agent", part("SLIPWAY_TEST_AGENT"), "--image", part("SLIPWAY_TEST_IMAGE"));
    const child = spawn(part("SLIPWAY_TEST_SERVER"), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    child.stderr.pipe(createWriteStream(this.log, { flags: "a" }));
    for await (const line of createInterface({ input: child.stdout })) {
      const at = line.indexOf("ready at http");
      if (at >= 0) {
        this.base = line.slice(at + "ready at ".length).trim();
        this.listen = new URL(this.base).host;
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`the server ended before it was ready:\n${readFileSync(this.log, "utf8").slice(-4000)}`);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** As a system that is shut down would; it can be started again. */
  async terminate(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** Its Postgres is killed, and cannot start again before it is let. */
  loseDatabase(): void {
    renameSync(this.control, `${this.control}.away`);
    const pid = readFileSync(join(this.database, "postmaster.pid"), "utf8").split("\n")[0];
    process.kill(Number(pid), "SIGKILL");
  }

  /** The server starts its Postgres again by itself. */
  letDatabase(): void {
    renameSync(`${this.control}.away`, this.control);
  }

  private get database(): string {
    return join(this.folder, "data/postgres/data");
  }

  /** Without this file a Postgres does not start. */
  private get control(): string {
    return join(this.database, "global/pg_control");
  }

  async stop(): Promise<void> {
    await this.terminate();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, "exit");
    child.kill(signal);
    await over;
  }
}

/** The wire between browser and server: it can be cut, and mended, in mid-journey. */
export class Wire {
  private readonly ends = new Set<Socket>();
  private readonly listener: NetServer;
  private whole = true;
  base = "";

  constructor(to: string) {
    const { hostname, port } = new URL(to);
    this.listener = createServer((near) => {
      if (!this.whole) return void near.destroy();
      const far = connect(Number(port), hostname);
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.ends.add(end);
        end.pipe(other);
        end.on("error", () => other.destroy());
        end.on("close", () => {
          this.ends.delete(end);
          other.destroy();
        });
      }
    });
  }

  async open(): Promise<void> {
    this.listener.listen(0, "127.0.0.1");
    await once(this.listener, "listening");
    const { port } = this.listener.address() as AddressInfo;
    this.base = `http://127.0.0.1:${port}`;
  }

  cut(): void {
    this.whole = false;
    for (const end of this.ends) end.destroy();
  }

  mend(): void {
    this.whole = true;
  }

  close(): void {
    this.cut();
    this.listener.close();
  }
}

/** Ends every session: a sandbox outlives its server, as it should, and would hold its volume. */
async function endSessions(page: Page, base: string): Promise<void> {
  const api = `${base}/api/v1/workspaces`;
  const live = async () => {
    const answer = await page.request.get(api);
    if (!answer.ok()) return [];
    const { workspaces } = (await answer.json()) as { workspaces: Row[] };
    return workspaces.filter((row) => row.session && !["stopped", "failed"].includes(row.session.state));
  };
  for (const row of await live()) await page.request.delete(`${api}/${row.id}/session`, { headers: { origin: base } });
  await expect.poll(async () => (await live()).length).toBe(0);
}

interface Row {
  id: string;
  session?: { state: string };
}

/** What a browser says by itself of an answer that a journey means to get: no error of the page. */
const ANSWERS = /^Failed to load resource: (the server responded with a status of|net::ERR_)|WebSocket connection to .* failed/;
/** Chromium's own words about drawing without a graphics card. */
const DRIVER = /GPU stall due to ReadPixels|GroupMarkerNotSet/;

/** Everything that the page complains of; a journey with complaints has failed. */
function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(`${error.name}: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    const loud = message.type() === "error" || /Content.Security.Policy/i.test(text);
    if (loud && !ANSWERS.test(text) && !DRIVER.test(text)) heard.push(text);
  });
  return heard;
}

export const test = base.extend<{ server: Server; wire: Wire; quiet: undefined }>({
  quiet: [
    async ({ page }, use) => {
      const heard = complaints(page);
      await use(undefined);
      expect(heard, "the page complains of nothing").toEqual([]);
    },
    { auto: true },
  ],
  wire: async ({ server }, use) => {
    const wire = new Wire(server.base);
    await wire.open();
    await use(wire);
    wire.close();
  },
  server: async ({ page }, use) => {
    const server = new Server();
    await server.start();
    await use(server);
    await endSessions(page, server.base);
    await server.stop();
  },
});
