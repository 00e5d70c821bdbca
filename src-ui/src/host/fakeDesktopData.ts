/** What the fake desktop program holds: folders of one machine, one of them with everything that can happen to it. */
import type { FakeState } from "./fake";
import { FILES, hashOf } from "./fakeData";
import type { Conflict } from "./generated/api/Conflict";
import type { LocalWorkspace } from "./generated/api/LocalWorkspace";
import type { Sync } from "./generated/api/Sync";
import type { SyncBrief } from "./generated/api/SyncBrief";
import type { Version } from "./generated/api/Version";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ADDRESS = "https://slipway.example.org";
const HOME = /^\/home\/mo(?=\/)/;

/** The file of which this machine keeps more than what is saved in the page. */
export const MAIN = "main.py";
/** The number of that version; what is saved later has the next ones. */
export const UNSENT = 1;
export const UNSENT_TEXT = `${FILES[MAIN]}print(daily["range"].describe())\n`;

/** A save that the next one overtook before a server got it. */
export function unsentAt(now: number): Version {
  const content = { size: UNSENT_TEXT.length, hash: hashOf(UNSENT_TEXT) };
  return {
    path: MAIN,
    revision: UNSENT,
    at: ago(now, 4 * 60 * MINUTE),
    origin: { kind: "editor" },
    kept: true,
    entry: { path: MAIN, kind: "file", executable: false, revision: UNSENT, ...content },
  };
}

export interface Place {
  name: string;
  folder: string;
  number: number;
}

interface Clash {
  conflict: Conflict;
  base: string | null;
  mine: string | null;
  theirs: string | null;
}

function ago(now: number, ms: number): string {
  return new Date(now - ms).toISOString();
}

const CALM: SyncBrief = { state: "online", up: 0, down: 0, blocked: 0, conflicts: 0 };

function local({ name, folder, number }: Place, now: number): LocalWorkspace {
  return {
    id: `018f1000-0000-7000-8000-0000000000${String(number).padStart(2, "0")}`,
    name,
    folder,
    short: folder.replace(HOME, "~"),
    there: true,
    terminals: `018f1000-0000-7000-8000-0000000001${String(number).padStart(2, "0")}`,
    sync: { ...CALM, state: "local" },
    opened_at: ago(now, 0),
  };
}

export function localWorkspaces(now: number, state: FakeState): LocalWorkspace[] {
  const make = (number: number, name: string, days: number, more: Partial<LocalWorkspace>) => ({
    ...local({ name, number, folder: `/home/mo/Slipway/${name}` }, now),
    opened_at: ago(now, days * DAY + 4 * MINUTE),
    ...more,
  });
  const remote = (number: number) => ({
    remote: { address: ADDRESS, workspace: `018f0000-0000-7000-8000-00000000000${number}` },
  });
  const brief = (more: Partial<SyncBrief>): { sync: SyncBrief } => ({
    sync: {
      ...CALM,
      ...(state === "offline" ? { state: "offline" as const } : {}),
      ...(state === "signed-out"
        ? {
            state: "refused" as const,
            reason: `Nobody is signed in at ${ADDRESS}. What is changed here goes out after the next sign-in.`,
            code: "sign_in_required" as const,
          }
        : {}),
      ...more,
    },
  });
  return [
    make(1, "harbor-tides", 0, { ...remote(1), ...brief({ up: 3, blocked: 2, conflicts: 3 }) }),
    make(2, "fleet-dashboard", 1, { ...remote(2), ...brief({}) }),
    make(3, "tide-notes", 2, {
      folder: "/home/mo/code/tide-notes",
      short: "~/code/tide-notes",
    }),
    make(4, "buoy-log", 5, {
      ...remote(6),
      there: false,
      ...brief({ state: "broken", code: "folder_gone" }),
    }),
    make(5, ARCHIVE, 6, { ...remote(7), ...brief({ down: 20_000 }) }),
  ];
}

/** What comes to this machine for the first time, and is long about it. */
const ARCHIVE = "tide-archive";
const ARCHIVE_BYTES = 1_040_000_000;
const ARCHIVE_PACE = { files: 902, bytes: 118_400_000 };
/** Here it rests, so that it can be looked at. */
const ARCHIVE_LEFT = 16_392;

/** A moment later in the archive; false where nothing moves. */
export function advance(workspace: LocalWorkspace, sync: Sync): boolean {
  if (workspace.name !== ARCHIVE || sync.state !== "online" || sync.down <= ARCHIVE_LEFT)
    return false;
  sync.down -= ARCHIVE_PACE.files;
  sync.down_bytes -= ARCHIVE_PACE.bytes;
  return true;
}

/** The first workspace has everything at once, the archive is on its way, the others have nothing. */
export function syncOf(workspace: LocalWorkspace, now: number): Sync {
  const offline = workspace.sync.state === "offline";
  const calm: Sync = {
    ...workspace.sync,
    revision: 41,
    ...(offline ? { offline_since: ago(now, 4 * MINUTE) } : {}),
    in_step_at: ago(now, 9 * MINUTE),
    up_bytes: 0,
    down_bytes: 0,
    paths: [],
    odd: [],
    partly_watched: false,
    notices: [],
    arrivals: [],
  };
  if (workspace.name === ARCHIVE) return { ...calm, ...coming(calm.down) };
  if (workspace.name !== "harbor-tides") return calm;
  const path = (name: string, state: Sync["paths"][number]["state"], bytes: number, moved = 0) => ({
    path: name,
    state,
    bytes,
    moved,
  });
  return {
    ...calm,
    up_bytes: 4_100,
    paths: [
      path("main.py", "waiting", 1_240),
      path("notes.md", "waiting", 860),
      path("data/brest.csv", offline ? "waiting" : "sending", 2_000_000, 1_240_000),
      ...(offline ? [] : [path("requirements.txt", "receiving", 120)]),
      {
        ...path("data/raw.bin", "blocked", 214_000_000),
        code: "file_too_large",
        message:
          "larger than 100 MiB, so it stays on this disk only. Name it in .slipwayignore, or make it smaller",
      },
      {
        ...path("Data/readme.md", "blocked", 400),
        code: "path_case_clash",
        message:
          "differs from another name only in letter case or accents, so it stays on this disk only",
      },
    ],
    held: { many: 47, of: 60, paths: ["figures/a.png", "figures/b.png", "figures/c.png"] },
    arrivals: [
      { id: 7, at: ago(now, 6 * MINUTE), many: 2, paths: ["requirements.txt", "README.md"] },
      { id: 6, at: ago(now, 50 * MINUTE), many: 12, paths: ["figures/brest-week.png"] },
    ],
    notices: [
      {
        at: ago(now, 20 * MINUTE),
        code: "edits_merged",
        message: "Your edit and the server's were merged.",
        path: "README.md",
      },
    ],
  };
}

function coming(down: number): Partial<Sync> {
  const paths = Array.from({ length: 40 }, (_, at): Sync["paths"][number] => ({
    path: `gauges/brest/${1846 + at}.csv`,
    state: at < 2 ? "receiving" : "missing",
    bytes: 2_400_000 - at * 9_000,
    moved: at < 2 ? 1_700_000 - at * 1_000_000 : 0,
  }));
  return { down_bytes: down === 0 ? 0 : ARCHIVE_BYTES, paths };
}

const BASE = `from dataclasses import dataclass


@dataclass(frozen=True)
class Station:
    code: str
    name: str
    mean_high_water: float


STATIONS = [
    Station("brest", "Brest", 6.90),
    Station("st-malo", "Saint-Malo", 12.20),
]
`;
const MINE = BASE.replace("water: float\n", 'water: float\n    chart_datum: str = "LAT"\n').replace(
  "6.90",
  "6.95",
);
const THEIRS = BASE.replace("water: float\n", 'water: float\n    timezone: str = "Europe/Paris"\n')
  .replace("6.90", "6.97")
  .replace("12.20),\n", '12.20),\n    Station("rochelle", "La Rochelle", 6.15),\n');

function conflicts(now: number): Clash[] {
  return [
    {
      conflict: {
        path: "stations.py",
        copy: "stations (conflict of quay).py",
        mine: "file",
        theirs: "file",
        base: true,
        at: ago(now, 12 * MINUTE),
      },
      base: BASE,
      mine: MINE,
      theirs: THEIRS,
    },
    {
      conflict: {
        path: "notes.md",
        copy: "notes (conflict of quay).md",
        mine: "file",
        base: true,
        at: ago(now, 30 * MINUTE),
      },
      base: "# Notes\n",
      mine: "# Notes\n\nThe gauge at Brest was moved in March.\n",
      theirs: null,
    },
    {
      conflict: {
        path: "figures/range-2026.png",
        copy: "figures/range-2026 (conflict of quay).png",
        mine: "file",
        theirs: "file",
        base: false,
        at: ago(now, 2 * 60 * MINUTE),
      },
      base: null,
      mine: "PNG\u0000mine",
      theirs: "PNG\u0000theirs, newer",
    },
  ];
}

export const PLACES = { local, conflicts };
