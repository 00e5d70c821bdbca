/** Runs in words: what state they are in, how they ended, and what helps. */
import type { Entry } from "../../host/generated/api/Entry";
import type { Run } from "../../host/generated/api/Run";
import type { RunTarget } from "../../host/generated/api/RunTarget";
import { MIB } from "../../host/generated/limits";

export interface RunWords {
  icon: string;
  tone: "ok" | "danger" | "warn" | "accent" | "faint";
  text: string;
}

/** What the server knows how to start by its name alone. */
const RUNNABLE = /\.(py|js|mjs|cjs|sh|bash)$/i;
const PICTURE = /\.(png|jpe?g|gif|webp|svg)$/i;
const PICTURE_BYTES_MAX = 8 * MIB;
/** The server goes from one signal to the next after this long. */
const ESCALATION_MS = 5_000;
/** Interrupt and terminate, which Stop and Ctrl+C send: whoever sent them knows why. */
const ASKED: ReadonlySet<number> = new Set([2, 15]);
const OTHER_NAMES: Record<string, string> = {
  sklearn: "scikit-learn",
  cv2: "opencv-python-headless",
  PIL: "pillow",
  yaml: "pyyaml",
  bs4: "beautifulsoup4",
  dateutil: "python-dateutil",
  dotenv: "python-dotenv",
};

export function isOver(run: Run): boolean {
  return run.state === "done" || run.state === "failed";
}

/** `away`: no server has heard of it yet, and the desktop program starts it when it can. */
export function runWords(run: Run, away = false): RunWords {
  switch (run.state) {
    case "queued":
      return {
        icon: "clock",
        tone: "warn",
        text: away ? "Waits for the server" : "Waits for the session",
      };
    case "waiting":
      return { icon: "refresh", tone: "accent", text: `Waits for revision ${run.revision}` };
    case "running":
      return { icon: "play", tone: "accent", text: "Running" };
    case "flushing":
      return { icon: "refresh", tone: "accent", text: "Storing what it wrote" };
    case "failed":
      return { icon: "error", tone: "danger", text: run.reason ?? "Did not start" };
    case "done":
      break;
  }
  const exit = run.exit;
  if (exit?.reason) return { icon: "error", tone: "danger", text: exit.reason };
  if (exit?.signal && ASKED.has(exit.signal))
    return { icon: "stop-circle", tone: "warn", text: "Stopped" };
  if (exit?.signal)
    return { icon: "stop-circle", tone: "warn", text: `Ended by signal ${exit.signal}` };
  if (!exit || exit.code === 0) return { icon: "check", tone: "ok", text: "Done" };
  return { icon: "error", tone: "danger", text: `Exit code ${exit.code}` };
}

/** Whether the memory limit ended it. */
export function wasOutOfMemory(run: Run): boolean {
  return run.exit?.code === 137 || run.exit?.signal === 9 || /memory/i.test(run.exit?.reason ?? "");
}

export function nameOfRun(run: Pick<Run, "target">): string {
  switch (run.target.kind) {
    case "file":
      return run.target.path;
    case "task":
      return run.target.name;
    case "command":
      return run.target.line;
  }
}

/** The install command for a module that an output says is missing. */
export function missingPackage(output: string): { module: string; command: string } | null {
  const python = /(?:ModuleNotFoundError|ImportError): No module named '([\w.]+)'/.exec(output);
  if (python?.[1]) {
    const module = python[1].split(".")[0] ?? python[1];
    return { module, command: `pip install ${OTHER_NAMES[module] ?? module}` };
  }
  const node = /Cannot find (?:module|package) '((?:@[\w.-]+\/)?[\w.-]+)/.exec(output);
  if (node?.[1] && !node[1].startsWith("."))
    return { module: node[1], command: `npm install ${node[1]}` };
  return null;
}

/** What Run means with this file open. */
export function targetOf(
  active: string | null,
  hasMain: boolean,
): (RunTarget & { kind: "file" }) | null {
  if (active && RUNNABLE.test(active)) return { kind: "file", path: active };
  return hasMain ? { kind: "file", path: "main.py" } : null;
}

/** The picture files that a run wrote, if it came to a good end: changed since it began, until the next run began; none where either is not known. Newest first. */
export function picturesOf(
  run: Run,
  entries: Iterable<Entry>,
  since: number | null,
  until: number | null,
): string[] {
  if (run.exit?.code !== 0 || since === null || until === null) return [];
  return [...entries]
    .filter((entry) => entry.kind === "file" && PICTURE.test(entry.path))
    .filter((entry) => entry.revision > since && entry.revision <= until)
    .filter((entry) => entry.size < PICTURE_BYTES_MAX)
    .sort((a, b) => b.revision - a.revision)
    .map((entry) => entry.path);
}

/** What a person who asked to stop `times` times, the last time `ms` ago, sees, and may ask for next. */
export function stopWords(times: number, ms: number): { state: string; next: string } {
  if (times === 0) return { state: "", next: "Stop" };
  const step = Math.min(3, times + Math.floor(ms / ESCALATION_MS));
  if (step === 1) return { state: "Interrupted, waiting", next: "Terminate now" };
  if (step === 2) return { state: "Terminated, waiting", next: "Kill now" };
  return { state: "Killing", next: "Kill now" };
}
