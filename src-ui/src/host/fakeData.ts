/** What the fake server holds: a harbour's worth of plausible work. */
import type { Account } from "./generated/api/Account";
import type { Device } from "./generated/api/Device";
import type { Entry } from "./generated/api/Entry";
import type { Run } from "./generated/api/Run";
import type { Session } from "./generated/api/Session";
import type { SessionBrief } from "./generated/api/SessionBrief";
import type { User } from "./generated/api/User";
import type { Workspace } from "./generated/api/Workspace";
import {
  MIB,
  SESSION_CPU_MILLIS,
  SESSION_DISK_BYTES,
  SESSION_MEMORY_BYTES,
} from "./generated/limits";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const OUTPUT = [
  "\u001b[36mharbor-tides\u001b[0m $ python main.py",
  "\u001b[32mloaded\u001b[0m brest: 14 880 rows in 0.41 s",
  "             min   max  mean  range",
  "day",
  "2026-03-01  1.42  6.51  3.98   5.09",
  "2026-03-02  1.11  6.83  3.99   5.72",
  "\u001b[36mharbor-tides\u001b[0m $ ",
].join("\r\n");

export const FILES: Record<string, string> = {
  "main.py": `"""Prints the tide range of each day."""
import pandas as pd

frame = pd.read_csv("data/brest.csv", parse_dates=["time"])
daily = frame.set_index("time")["level_m"].resample("D").agg(["min", "max", "mean"])
daily["range"] = daily["max"] - daily["min"]
print(daily.round(2))
`,
  "data/brest.csv": "time,level_m\n2026-03-01T00:00,4.12\n2026-03-01T00:10,4.31\n",
  "README.md": "# Harbor tides\n\nRun `main.py`.\n",
  "requirements.txt": "pandas\n",
};

export interface World {
  account: Account;
  devices: Device[];
  users: User[];
  workspaces: Workspace[];
  session: Session;
  runs: Run[];
  entries: Entry[];
  registrationOpen: boolean;
}

export function worldAt(now: number): World {
  const ago = (ms: number) => new Date(now - ms).toISOString();
  const account: Account = {
    id: "018f0000-0000-7000-8000-000000000001",
    name: "Mo Kersaint",
    email: "mo@example.org",
    administrator: true,
    created_at: ago(40 * DAY),
  };
  const session: Session = {
    id: "018f0000-0000-7000-8000-0000000000a1",
    workspace: id(1),
    state: "ready",
    stages: [],
    created_at: ago(12 * MINUTE),
    ready_at: ago(12 * MINUTE),
    keep_until_done: false,
    memory_bytes: SESSION_MEMORY_BYTES,
    disk_bytes: SESSION_DISK_BYTES,
    cpu_millis: SESSION_CPU_MILLIS,
    usual_start_ms: 90,
    protections: [],
  };
  const run: Run = {
    id: "018f0000-0000-7000-8000-0000000000b1",
    workspace: id(1),
    session: session.id,
    target: { kind: "file", path: "main.py" },
    command: "python main.py",
    revision: 41,
    state: "done",
    exit: { code: 0 },
    created_at: ago(3 * MINUTE),
    started_at: ago(3 * MINUTE),
    duration_ms: 1_930,
    peak_memory_bytes: 96 * MIB,
    output_bytes: OUTPUT.length,
    output_truncated: false,
  };
  return {
    account,
    devices: devices(ago),
    users: users(account, ago),
    workspaces: workspaces(ago, now),
    session,
    runs: [run],
    entries: entries(),
    registrationOpen: true,
  };
}

type Ago = (ms: number) => string;

function id(number: number): string {
  return `018f0000-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

function workspaces(ago: Ago, now: number): Workspace[] {
  const make = (
    number: number,
    name: string,
    template: Workspace["template"],
    mib: number,
    changed: number,
    more: Partial<Workspace> = {},
  ): Workspace => ({
    id: id(number),
    name,
    template,
    head: 41,
    entries: number * 17,
    bytes: Math.round(mib * MIB),
    created_at: ago(changed + 20 * DAY),
    changed_at: ago(changed),
    ...more,
  });
  const session = (state: SessionBrief["state"], more: Partial<SessionBrief> = {}) => ({
    session: { id: "018f0000-0000-7000-8000-0000000000a1", state, ...more },
  });
  return [
    make(
      1,
      "harbor-tides",
      "python",
      38.2,
      10_000,
      session("ready", { ready_at: ago(12 * MINUTE) }),
    ),
    make(2, "fleet-dashboard", "node", 12.6, HOUR, session("idle", { ready_at: ago(HOUR) })),
    make(3, "sediment-model", "python", 204, 3 * HOUR, session("provisioning")),
    make(
      4,
      "berth-planner",
      "node",
      8.1,
      DAY,
      session("failed", { reason: "Out of memory: 512 MiB" }),
    ),
    make(5, "lock-gate-sim", "python", 1.9, DAY + HOUR, session("stopped")),
    make(6, "buoy-log", "empty", 0.4, 5 * DAY),
    make(7, "crane-telemetry", "python", 96, 12 * DAY),
    make(8, "old-pilotage", "python", 4, 60 * DAY, { archived_at: ago(30 * DAY) }),
    make(9, "scratch", "empty", 0.1, 9 * DAY, {
      deleted_at: ago(3 * DAY),
      purge_at: new Date(now + 27 * DAY).toISOString(),
    }),
  ];
}

function devices(ago: Ago): Device[] {
  const make = (number: number, name: string, agent: string, used: number): Device => ({
    id: id(50 + number),
    name,
    user_agent: agent,
    current: number === 1,
    created_at: ago(number * 9 * DAY),
    last_used_at: ago(used),
    expires_at: ago(-20 * DAY),
  });
  return [
    make(1, "Chromium on Linux", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0", 0),
    make(2, "Firefox on Windows", "Mozilla/5.0 (Windows NT 10.0) Firefox/150.0", 26 * HOUR),
    make(3, "Safari on iPad", "Mozilla/5.0 (iPad) Version/19.0 Safari", 11 * DAY),
  ];
}

function users(own: Account, ago: Ago): User[] {
  const make = (number: number, name: string, workspaces: number, disabled = false): User => ({
    id: id(70 + number),
    name,
    email: `${name.toLowerCase().split(" ")[0]}@example.org`,
    administrator: false,
    disabled,
    created_at: ago(number * 6 * DAY),
    workspaces,
  });
  const me: User = { ...own, disabled: false, workspaces: 8 };
  return [me, make(1, "Ana Ribeiro", 3), make(2, "Jun Okada", 1), make(3, "Per Lund", 0, true)];
}

function entries(): Entry[] {
  const file = ([path, text]: [string, string]): Entry => ({
    path,
    kind: "file",
    size: text.length,
    hash: hashOf(text),
    executable: false,
    revision: 41,
  });
  const folder: Entry = { path: "data", kind: "folder", size: 0, executable: false, revision: 1 };
  return [folder, ...Object.entries(FILES).map(file)];
}

/** Not the real hash; the fake only has to tell one content from another. */
export function hashOf(text: string): string {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 0xffffffff;
  return sum.toString(16).padStart(64, "0");
}
