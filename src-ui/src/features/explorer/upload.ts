/** Uploads: many files in one request, their progress in bytes, and what became of each. */
import { createStore } from "zustand/vanilla";
import type { Bench, UploadFacts } from "../../bench/bench";
import type { OnConflict } from "../../host/generated/api/OnConflict";
import type { Operation } from "../../host/generated/api/Operation";
import type { Uploaded } from "../../host/generated/api/Uploaded";
import { failureOf } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { nameProblem } from "../../ui/names";
import type { Incoming } from "./drag";
import { type InTheWay, join, nameOf } from "./names";

export interface Batch {
  id: number;
  label: string;
  sent: number;
  total: number;
  state: "sending" | "done" | "cancelled" | "failed";
  /** What was not uploaded and why, one sentence for each. */
  problems: readonly string[];
}

interface Item {
  path: string;
  file: File;
}

/** One request takes so many files and bytes, so that a cut costs no more than that. */
const PART_FILES = 500;
const PART_BYTES = 64 * 1024 * 1024;
const KEPT = "What is overwritten stays in the file's history, and can be restored.";

export class Uploads {
  readonly store = createStore<{ batches: readonly Batch[] }>(() => ({ batches: [] }));
  /** For badges and the status bar. */
  readonly facts = createStore<UploadFacts>(() => ({ paths: new Set(), bytesLeft: 0 }));
  private readonly cuts = new Map<number, AbortController>();
  private readonly going = new Map<number, readonly string[]>();
  private count = 0;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly inTheWay: InTheWay,
  ) {}

  /** Uploads into a folder. Asks once when names are taken; what cannot go says why, and the rest goes. */
  async start(bench: Bench, folder: string, incoming: Incoming): Promise<void> {
    const { good, problems } = this.sort(folder, incoming);
    const taken = good.filter(({ path }) => this.inTheWay(join(folder, path)) !== null);
    const wish = taken.length > 0 ? await this.ask(bench, taken) : "ask";
    if (wish === null) return;
    this.count += 1;
    const id = this.count;
    const total = good.reduce((sum, { file }) => sum + file.size, 0);
    const [first] = good;
    const label = good.length === 1 && first ? nameOf(first.path) : `${good.length} files`;
    this.store.setState(({ batches }) => ({
      batches: [...batches, { id, label, sent: 0, total, state: "sending", problems }],
    }));
    this.cuts.set(id, new AbortController());
    this.going.set(
      id,
      good.map(({ path }) => join(folder, path)),
    );
    this.tell();
    await this.send(id, folder, wish, good, incoming.folders, bench.host.newId);
    this.going.delete(id);
    this.cuts.delete(id);
    this.tell();
    await this.live.pullFiles();
  }

  cancel(id: number): void {
    this.cuts.get(id)?.abort();
  }

  dismiss(id: number): void {
    this.store.setState(({ batches }) => ({ batches: batches.filter((one) => one.id !== id) }));
  }

  private sort(folder: string, incoming: Incoming): { good: Item[]; problems: string[] } {
    const good: Item[] = [];
    const problems = [...incoming.unread];
    for (const { path: raw, file } of incoming.files) {
      const path = raw.normalize("NFC");
      const bad = path
        .split("/")
        .map(nameProblem)
        .find((one) => one !== null);
      const to = join(folder, path);
      const other = this.inTheWay(to);
      if (bad) problems.push(`${nameOf(path)}: ${bad}`);
      else if (other !== null && other !== to)
        problems.push(`${nameOf(path)}: “${other}” differs only in letter case.`);
      else good.push({ path, file });
    }
    return { good, problems };
  }

  private ask(bench: Bench, taken: readonly Item[]): Promise<OnConflict | null> {
    const [first] = taken;
    const more = taken.length - 1;
    return bench.choose<OnConflict>({
      title:
        more === 0
          ? `“${nameOf(first?.path ?? "")}” exists already`
          : `${taken.length} files exist already`,
      text: more === 0 ? KEPT : `The choice is for all of them. ${KEPT}`,
      choices: [
        { value: "skip", label: "Skip" },
        { value: "keep_both", label: "Keep both" },
        { value: "overwrite", label: "Overwrite", primary: true },
      ],
    });
  }

  private async send(
    id: number,
    folder: string,
    wish: OnConflict,
    items: readonly Item[],
    folders: readonly string[],
    newId: () => string,
  ): Promise<void> {
    const signal = this.cuts.get(id)?.signal as AbortSignal;
    let before = 0;
    try {
      for (const part of parts(items)) {
        const bytes = part.reduce((sum, { file }) => sum + file.size, 0);
        const moved = (sent: number, total: number) =>
          this.change(id, () => ({
            sent: before + Math.round((bytes * sent) / Math.max(1, total)),
          }));
        const answer = await this.live.calls.upload(folder, wish, part, newId(), signal, moved);
        before += bytes;
        this.change(id, ({ problems }) => ({
          sent: before,
          problems: [...problems, ...refusals(answer)],
        }));
      }
      if (folders.length > 0) await this.makeFolders(folder, folders, newId());
      this.change(id, () => ({ state: "done" }));
    } catch (error) {
      const failure = failureOf(error);
      const state = failure.code === "cancelled" ? "cancelled" : "failed";
      this.change(id, ({ problems }) => ({
        state,
        problems: state === "failed" ? [...problems, failure.detail] : problems,
      }));
    }
  }

  private async makeFolders(
    folder: string,
    paths: readonly string[],
    batch: string,
  ): Promise<void> {
    const operations = paths
      .map((path) => join(folder, path.normalize("NFC")))
      .filter((path) => this.inTheWay(path) === null)
      .map((path): Operation => ({ path, expect: "absent", kind: "folder", executable: false }));
    if (operations.length > 0) await this.live.calls.commit({ batch, operations, atomic: false });
  }

  private change(id: number, part: (batch: Batch) => Partial<Batch>): void {
    this.store.setState(({ batches }) => ({
      batches: batches.map((one) => (one.id === id ? { ...one, ...part(one) } : one)),
    }));
    this.tell();
  }

  private tell(): void {
    const sending = this.store.getState().batches.filter((one) => one.state === "sending");
    this.facts.setState({
      paths: new Set([...this.going.values()].flat()),
      bytesLeft: sending.reduce((sum, one) => sum + one.total - one.sent, 0),
    });
  }
}

function* parts(items: readonly Item[]): Generator<Item[]> {
  let part: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (part.length > 0 && (part.length >= PART_FILES || bytes + item.file.size > PART_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += item.file.size;
  }
  if (part.length > 0) yield part;
}

function refusals(answer: Uploaded): string[] {
  return answer.files
    .filter(({ result }) => result === "rejected" || result === "stale")
    .map(
      ({ path, message }) => `${nameOf(path)}: ${message ?? "Something else stands there now."}`,
    );
}
