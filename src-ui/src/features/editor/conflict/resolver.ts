/** One conflict from its three versions to one: what was decided, the text that comes of it, and how it is stored. */
import { createStore } from "zustand/vanilla";
import type { Conflict } from "../../../host/generated/api/Conflict";
import type { Here } from "../../../host/here";
import { type Content, failureOf } from "../../../host/ide";
import type { LiveWorkspace } from "../../../host/live";
import type { Choice, Part } from "../../../host/merge";
import { decode, isText } from "../saving";
import { shapeOf } from "../shape";
import type { MergeKeeper, Standing } from "./mergeKeeper";
import { carried, conflictsOf, decided, isOpen, planOf, rewritten, textOf } from "./plan";
import type { ResultText } from "./resultText";

export interface ResolverState {
  /** `choose`: no text can be made of the two; one of them is taken, or both stay. */
  state: "loading" | "merge" | "choose" | "failed";
  problem: string;
  mine: Content | null;
  theirs: Content | null;
  /** When theirs was written, where the server tells. */
  theirsAt: string | null;
  parts: readonly Part[];
  /** Which of the conflicts is looked at. */
  current: number;
  /** The result differs from what stands on the disk. */
  unsaved: boolean;
  /** It is one of an earlier visit. */
  brought: boolean;
  busy: boolean;
}

export type MakeText = (parts: readonly Part[], crlf: boolean) => Promise<ResultText>;

const encoder = new TextEncoder();

export class Resolver {
  readonly store = createStore<ResolverState>(() => ({
    state: "loading",
    problem: "",
    mine: null,
    theirs: null,
    theirsAt: null,
    parts: [],
    current: 0,
    unsaved: false,
    brought: false,
    busy: false,
  }));
  result: ResultText | null = null;
  private base: string | null = null;
  /** What this has written to the path, so that its own change is not taken for somebody else's. */
  private written: string | null = null;
  /** Nobody has decided anything: it can be thrown away and made anew. */
  private touched = false;
  private readonly stop: () => void;

  constructor(
    private readonly found: Conflict,
    private readonly live: LiveWorkspace,
    private readonly here: Here,
    private readonly makeText: MakeText,
    private readonly keeper: MergeKeeper,
  ) {
    this.stop = live.onChanges(() => this.changed());
    void this.load();
  }

  dispose(): void {
    this.stop();
    this.result?.dispose();
  }

  /** As it stands; as it was found when it is over. */
  get conflict(): Conflict {
    const { found } = this;
    return this.here.state.conflicts.find(({ copy }) => copy === found.copy) ?? found;
  }

  get left(): number {
    return this.state.parts.filter(isOpen).length;
  }

  get state(): ResolverState {
    return this.store.getState();
  }

  async load(): Promise<void> {
    try {
      const { path, copy } = this.conflict;
      const [mine, theirs, base] = await Promise.all([
        this.read(copy),
        this.read(path),
        this.here.baseOf(this.conflict),
      ]);
      const texts = [mine, theirs].map((one) => textIn(path, one));
      const [own, other] = texts;
      if (own == null || other == null) {
        this.store.setState({ state: "choose", mine, theirs });
        // It helps to choose, and nothing waits for it.
        this.live.calls.history(path).then(
          ({ versions }) => this.store.setState({ theirsAt: versions[0]?.at ?? null }),
          () => undefined,
        );
        return;
      }
      this.base = base === null ? null : plain(new TextDecoder().decode(base));
      const fresh = planOf({ base: this.base, mine: plain(own), theirs: plain(other) });
      await this.show(fresh, own.includes("\r\n"), { mine, theirs });
    } catch (error) {
      this.store.setState({ state: "failed", problem: failureOf(error).detail });
    }
  }

  /** Shows a plan, with what was done before: here, or on an earlier visit. */
  private async show(
    fresh: readonly Part[],
    crlf: boolean,
    sides: Pick<ResolverState, "mine" | "theirs">,
  ): Promise<void> {
    const { path, copy } = this.conflict;
    const draft = this.result ? null : await this.keeper.of(copy);
    const before = this.touched ? this.standing() : draft;
    const parts = before ? carried(before.parts, fresh) : fresh;
    if (this.result) this.result.fill(parts);
    else {
      this.result = await this.makeText(parts, crlf);
      this.result.onTyped(() => this.typed());
    }
    const text = before && rewritten(before.baseText, before.text, textOf(parts), path);
    const brought =
      draft !== null &&
      (text !== null || parts.some((part, at) => part.choice !== fresh[at]?.choice));
    this.touched ||= brought;
    this.become({ state: "merge", ...sides, parts, unsaved: this.touched, brought });
    if (text !== null) this.result.type(text);
  }

  private standing(): Standing {
    const { parts } = this.state;
    const text = plain(this.result?.text() ?? "");
    return { parts, baseText: textOf(parts), text };
  }

  /** Decides about the conflict that is looked at, or opens it again. */
  choose(choice: Choice | null): void {
    const { parts, current } = this.state;
    const index = conflictsOf(parts)[current];
    if (index === undefined) return;
    this.decide([index], choice);
    // On to the next that is open; the last decision stays in sight.
    const next = conflictsOf(this.state.parts).findIndex((one) => {
      const part = this.state.parts[one];
      return part !== undefined && isOpen(part);
    });
    if (choice !== null && next >= 0) this.store.setState({ current: next });
  }

  /** Takes one side wherever both changed something. */
  chooseAll(choice: "mine" | "theirs"): void {
    this.decide(conflictsOf(this.state.parts), choice);
  }

  look(by: number): void {
    const { parts, current } = this.state;
    const many = Math.max(1, conflictsOf(parts).length);
    this.store.setState({ current: (current + by + many) % many });
  }

  lookAt(index: number): void {
    const at = conflictsOf(this.state.parts).indexOf(index);
    if (at >= 0) this.store.setState({ current: at });
  }

  /** Writes the result over exactly what was shown. The conflict stands until somebody says that it is resolved. */
  save(): Promise<boolean> {
    return this.work(async () => {
      const { result, state } = this;
      if (!result) return false;
      return this.write(encoder.encode(result.text()), state.theirs?.hash ?? "");
    });
  }

  /** Saves what is not saved, and ends the conflict; the copy goes to the trash. */
  async resolve(): Promise<boolean> {
    if (this.state.unsaved && !(await this.save())) return false;
    return this.work(() => this.end(false));
  }

  keepBoth(): Promise<boolean> {
    return this.work(() => this.end(true));
  }

  /** Takes one of the two as it is, which may be that there is none. */
  take(side: "mine" | "theirs"): Promise<boolean> {
    return this.work(async () => {
      const { mine, theirs } = this.state;
      if (side === "mine" && mine && !(await this.write(mine.bytes, theirs?.hash ?? "")))
        return false;
      return this.end(false);
    });
  }

  private async write(bytes: Uint8Array<ArrayBuffer>, over: string): Promise<boolean> {
    const { path } = this.conflict;
    try {
      const { entry, revision } = await this.live.calls.write(path, bytes, over);
      this.written = entry?.hash ?? null;
      if (entry) this.live.wrote(path, entry, revision);
      const theirs = { bytes, hash: entry?.hash ?? "" };
      this.become({ theirs, unsaved: false, brought: false });
      await this.keeper.forget(this.conflict.copy);
      return true;
    } catch (error) {
      if (failureOf(error).status !== 412) throw error;
      // Something newer stands there: it is brought in, and nothing that was decided is lost.
      this.written = null;
      await this.load();
      this.store.setState({ problem: "The other version changed meanwhile. Look once more." });
      return false;
    }
  }

  private async end(keepCopy: boolean): Promise<boolean> {
    await this.here.resolve(this.conflict.copy, keepCopy);
    return true;
  }

  private async work(act: () => Promise<boolean>): Promise<boolean> {
    if (this.state.busy) return false;
    this.store.setState({ busy: true, problem: "" });
    try {
      return await act();
    } catch (error) {
      this.store.setState({ problem: failureOf(error).detail });
      return false;
    } finally {
      this.store.setState({ busy: false });
    }
  }

  private decide(indexes: readonly number[], choice: Choice | null): void {
    const parts = [...this.state.parts];
    for (const index of indexes) {
      const part = parts[index];
      if (!part) continue;
      parts[index] = decided(part, choice);
      this.result?.put(index, parts);
    }
    this.touched = true;
    this.become({ parts, unsaved: true });
  }

  /** Somebody wrote in the result: what stands in a conflict's place says what was decided. */
  private typed(): void {
    this.touched = true;
    const parts = this.state.parts.map((part, index) => {
      if (part.kind !== "conflict") return part;
      const now = this.result?.linesOf(index) ?? [];
      if (now.join("") === part.result.join("")) return part;
      const known = (["mine", "theirs", "both"] as const).find(
        (choice) => decided(part, choice).result.join("") === now.join(""),
      );
      if (known) return decided(part, known);
      if (part.base.join("") === now.join("")) return decided(part, null);
      return decided(part, "edited", now);
    });
    this.become({ parts, unsaved: true });
  }

  private changed(): void {
    const { state, theirs, mine } = this.state;
    if (state === "loading") return;
    const hashOf = (path: string) => this.live.entries.get(path)?.hash;
    const known = [theirs?.hash, this.written];
    const other = hashOf(this.conflict.path);
    if (hashOf(this.conflict.copy) !== mine?.hash || !known.includes(other)) void this.load();
  }

  private become(state: Partial<ResolverState>): void {
    this.store.setState(state);
    this.result?.mark(this.state.parts);
    if (state.unsaved) this.keeper.soon(this.conflict.copy, () => this.standing());
  }

  /** Null when nothing stands there. */
  private async read(path: string): Promise<Content | null> {
    try {
      return await this.live.calls.read(path);
    } catch (error) {
      if (failureOf(error).code === "not_found") return null;
      throw error;
    }
  }
}

/** Null for what is not there, or is not a text. */
function textIn(path: string, content: Content | null): string | null {
  if (!content) return null;
  const shape = shapeOf(path, content.bytes.length, content.bytes);
  return isText(shape) ? decode(content) : null;
}

/** Lines are compared without regard to how they end; the result ends them as mine does. */
function plain(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
