/** One open text as a replica: the content it was made from, what was typed since, and what stands elsewhere. */
import type { Draft } from "../../host/drafts";
import type { Content } from "../../host/ide";
import { edits, type LineEdit, merge } from "../../host/merge";
import type { Shape } from "./shape";

/** The text as an editor holds it. */
export interface TextModel {
  text(): string;
  /** Equal numbers mean equal texts, also after undo. */
  version(): number;
  /** One undoable step that keeps cursors outside of the edits. */
  edit(edits: readonly LineEdit[]): void;
  onChange(listener: () => void): void;
  dispose(): void;
}

export type SaveState = "clean" | "unsaved" | "saving" | "waiting" | "failed" | "conflict";

/** What the screen shows of a buffer. */
export interface BufferInfo {
  path: string;
  /** `away`: it stands on a server that does not answer. */
  shape: Shape | "loading" | "away" | "error";
  save: SaveState;
  /** Why it could not be read, saved or merged, for people. */
  problem: string;
  /** Deleted on the server while it was open. */
  gone: boolean;
  readOnly: boolean;
  /** What a conflict is with: a choice is only valid for what was shown. Empty: no conflict. */
  theirsHash: string;
  /** Size of a text that waits for the server. */
  waitingBytes: number;
}

export interface Known {
  hash: string;
  text: string;
}

/** A version on the server; `text` is null when it is not a text. */
export interface Theirs {
  hash: string;
  text: string | null;
}

/** How a version of the server and the open text came together. */
export type Meeting = "same" | "taken" | "merged" | "conflict";

const NO_VERSION = -1;
const DOUBTS_MAX = 8;

export class Buffer<M extends TextModel = TextModel> {
  model: M | null = null;
  content: Content | null = null;
  shape: BufferInfo["shape"] = "loading";
  problem = "";
  base: Known = { hash: "", text: "" };
  theirs: Theirs | null = null;
  gone = false;
  /** Texts that were sent and not answered. Found on the server, one is the base and no stranger's change. */
  doubts: readonly string[] = [];
  /** Drafts of other tabs that are gone, to be brought in one after the other. */
  readonly pending: Draft[] = [];
  /** Whether a tab shows it; a closed one lives on until its text is safe. */
  shown = true;
  saving: Promise<void> | null = null;
  last: "waiting" | "failed" | null = null;
  /** Size of the text at the last attempt to save it. */
  sentBytes = 0;
  /** Grows with every question to the server, so that an answer to an older one is known as such. */
  epoch = 0;
  /** The version that the draft store holds; null when it refused. */
  kept: number | null = NO_VERSION;
  opening: Promise<void> = Promise.resolve();
  cancelSave: (() => void) | null = null;
  cancelDraft: (() => void) | null = null;
  private cleanVersion = 0;
  private applying = false;

  constructor(public path: string) {}

  /** Whether the text differs from its base. */
  get dirty(): boolean {
    return this.model !== null && this.model.version() !== this.cleanVersion;
  }

  /** Nothing here that is not on the server. */
  get quiet(): boolean {
    return !this.dirty && this.theirs === null && this.saving === null;
  }

  /** Puts the text to work. An editor may unify line ends on loading; that is not an edit. */
  start(model: M, hash: string, typed: () => void): void {
    this.model = model;
    this.base = { hash, text: model.text() };
    this.cleanVersion = model.version();
    model.onChange(() => {
      if (!this.applying) typed();
    });
  }

  /** Takes over an unsaved text together with what it was made from. */
  adopt(draft: Pick<Draft, "base" | "baseText" | "text" | "doubts">): void {
    this.base = { hash: draft.base, text: draft.baseText };
    this.doubts = draft.doubts;
    this.apply(draft.text);
    this.cleanVersion = this.model?.text() === draft.baseText ? this.versionNow() : NO_VERSION;
  }

  /** The server has exactly this text, as of this version of the model. */
  saved(known: Known, version: number): void {
    this.base = known;
    this.cleanVersion = version;
    this.doubts = [];
    this.gone = false;
    this.settled();
  }

  /** This text was sent, and nobody knows whether it arrived. */
  wonder(text: string): void {
    if (this.doubts.at(-1) === text) return;
    // The first ones are the likeliest to have arrived; the last one may always have.
    const first = this.doubts.slice(0, DOUBTS_MAX - 1);
    this.doubts = [...first, text];
  }

  /** Brings a version of the server and the open text together; never guesses, never overwrites. */
  meet(theirs: Theirs): Meeting {
    const mine = this.model?.text() ?? "";
    this.gone = false;
    const ours = theirs.hash !== this.base.hash && this.doubts.find((one) => one === theirs.text);
    if (typeof ours === "string") {
      this.base = { hash: theirs.hash, text: ours };
      this.cleanVersion = mine === ours ? this.versionNow() : NO_VERSION;
    }
    if (theirs.hash === this.base.hash) {
      if (this.theirs) this.settled();
      return "same";
    }
    this.doubts = [];
    const { text } = theirs;
    if (text !== null && (text === mine || !this.dirty)) {
      this.take({ hash: theirs.hash, text });
      return "taken";
    }
    const merged =
      text === null
        ? { clean: false as const, reason: "The other version is not a text." }
        : merge(this.base.text, mine, text, this.path);
    if (!merged.clean || text === null) {
      this.theirs = theirs;
      this.problem = merged.clean ? "" : merged.reason;
      return "conflict";
    }
    this.settled();
    this.base = { hash: theirs.hash, text };
    this.apply(merged.text);
    this.cleanVersion = merged.text === text ? this.versionNow() : NO_VERSION;
    return this.dirty ? "merged" : "taken";
  }

  /** The text is from now on exactly this content of the server. */
  take(known: Known): void {
    this.apply(known.text);
    this.saved({ hash: known.hash, text: this.model?.text() ?? known.text }, this.versionNow());
  }

  /** Mine shall replace the version that was shown; false when that is no longer the one. */
  keepMine(shown: string): boolean {
    const { theirs } = this;
    if (!theirs || theirs.hash !== shown) return false;
    this.base = { hash: theirs.hash, text: theirs.text ?? "" };
    this.cleanVersion = this.model?.text() === theirs.text ? this.versionNow() : NO_VERSION;
    this.settled();
    return true;
  }

  vanish(): void {
    this.gone = true;
    this.settled();
  }

  info(): BufferInfo {
    const save = this.state();
    return {
      path: this.path,
      shape: this.shape,
      save,
      problem: this.problem,
      gone: this.gone,
      readOnly: this.shape !== "text",
      theirsHash: this.theirs?.hash ?? "",
      waitingBytes: save === "waiting" ? this.sentBytes : 0,
    };
  }

  private state(): SaveState {
    if (this.theirs) return "conflict";
    if (this.saving) return "saving";
    if (!this.dirty) return "clean";
    return this.last ?? "unsaved";
  }

  private settled(): void {
    this.theirs = null;
    this.problem = "";
    this.last = null;
  }

  private versionNow(): number {
    return this.model?.version() ?? NO_VERSION;
  }

  private apply(text: string): void {
    if (!this.model) return;
    this.applying = true;
    this.model.edit(edits(this.model.text(), text));
    this.applying = false;
  }
}
