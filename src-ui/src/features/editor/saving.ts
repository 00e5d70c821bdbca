/** How an open text and the server come together: saves over exactly what it was made from, and what is seen there. */
import type { Host } from "../../host/host";
import { type Content, failureOf, isOffline } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import type { Buffer, BufferInfo, TextModel } from "./buffer";
import type { Keeper } from "./keeper";
import { shapeOf } from "./shape";
import type { Shelf } from "./shelf";

/** What the buffers do when a text has come to an end of something. */
export interface SavingListener<M extends TextModel> {
  /** Nothing is here that is not on the server. */
  quiet(buffer: Buffer<M>): void;
  /** What stands on the server can no longer be brought together with this and is read anew. */
  reload(buffer: Buffer<M>): void;
}

const AUTOSAVE_MS = 800;
const DRAFT_MS = 300;
const RETRY_MS = 4_000;
const encoder = new TextEncoder();

export class Saving<M extends TextModel> {
  constructor(
    private readonly live: LiveWorkspace,
    private readonly after: Host["after"],
    private readonly shelf: Shelf<M>,
    private readonly keeper: Keeper,
    private readonly on: SavingListener<M>,
  ) {}

  /** Saves an edited text. What was deleted is left alone: only `revive` makes it again. */
  save(buffer: Buffer<M>): Promise<void> {
    return this.push(buffer, () => buffer.dirty && !buffer.gone);
  }

  /** Makes a deleted file again from its open text. */
  revive(buffer: Buffer<M>): Promise<void> {
    return this.push(buffer, () => buffer.gone);
  }

  /** Draft soon, save a little later; nothing while there is nothing to save or the person has to choose. */
  schedule(buffer: Buffer<M>): void {
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    if (!buffer.dirty) return;
    if (!buffer.cancelDraft)
      buffer.cancelDraft = this.after(DRAFT_MS, () => {
        buffer.cancelDraft = null;
        if (this.shelf.holds(buffer) && (buffer.dirty || buffer.theirs))
          void this.keeper.keep(buffer);
      });
    if (buffer.theirs || buffer.gone) return;
    buffer.cancelSave = this.after(AUTOSAVE_MS, () => void this.save(buffer));
  }

  /** One save of a buffer at a time; `wanted` is asked when its turn has come. */
  private async push(buffer: Buffer<M>, wanted: () => boolean): Promise<void> {
    while (buffer.saving) await buffer.saving;
    if (!this.shelf.holds(buffer) || !buffer.model || buffer.theirs || !wanted()) return;
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    buffer.saving = this.put(buffer, buffer.model, buffer.gone ? "" : buffer.base.hash);
    this.shelf.publish(buffer);
    await buffer.saving;
  }

  private async put(buffer: Buffer<M>, model: M, base: string): Promise<void> {
    const text = model.text();
    const version = model.version();
    const bytes = encoder.encode(text);
    buffer.sentBytes = bytes.length;
    buffer.epoch += 1;
    try {
      const { entry, revision } = await this.live.calls.write(buffer.path, bytes, base);
      buffer.saving = null;
      if (!this.shelf.holds(buffer)) return;
      buffer.saved({ hash: entry?.hash ?? "", text }, version);
      if (entry) this.live.wrote(buffer.path, entry, revision);
      this.settled(buffer);
    } catch (error) {
      buffer.saving = null;
      if (this.shelf.holds(buffer)) await this.putFailed(buffer, text, error);
    }
    this.settle(buffer);
  }

  private async putFailed(buffer: Buffer<M>, text: string, error: unknown): Promise<void> {
    const failure = failureOf(error);
    if (failure.code === "stale" || failure.status === 412) return this.compare(buffer);
    if (isOffline(failure)) {
      buffer.wonder(text);
      this.wait(buffer);
    } else {
      buffer.last = "failed";
      buffer.problem = failure.detail;
      this.shelf.publish(buffer);
    }
    await this.keeper.keep(buffer);
  }

  /** Tries again soon: the socket may not have noticed yet, or the server was busy. */
  private wait(buffer: Buffer<M>): void {
    buffer.last = "waiting";
    buffer.problem = "";
    this.live.socket.retry();
    buffer.cancelSave?.();
    buffer.cancelSave = this.after(RETRY_MS, () => {
      this.settle(buffer);
      void this.save(buffer);
    });
    this.shelf.publish(buffer);
  }

  /** Holds a buffer against the tree: what is gone, back, or changed. */
  settle(buffer: Buffer<M>): void {
    if (!this.shelf.holds(buffer) || buffer.saving || this.live.state.loaded !== "ready") return;
    if (buffer.shape === "loading") return;
    const entry = this.live.entries.get(buffer.path);
    if (!entry || entry.kind === "folder") {
      if (!buffer.gone) buffer.vanish();
      this.settled(buffer);
      return;
    }
    if (buffer.model) {
      const known = buffer.theirs?.hash ?? buffer.base.hash;
      if (entry.hash !== known) void this.compare(buffer);
      else if (buffer.gone) {
        buffer.gone = false;
        this.settled(buffer);
      }
    } else if (entry.hash !== buffer.content?.hash) this.on.reload(buffer);
  }

  /** Reads what stands on the server and brings the open text together with it. */
  private async compare(buffer: Buffer<M>): Promise<void> {
    buffer.epoch += 1;
    const { epoch } = buffer;
    try {
      const content = await this.live.calls.read(buffer.path);
      // Something newer is under way, and looks again at its end.
      if (!this.shelf.holds(buffer) || buffer.epoch !== epoch) return;
      const text = isText(shapeOf(buffer.path, content.bytes.length, content.bytes))
        ? decode(content)
        : null;
      if (text === null && !buffer.dirty) return this.on.reload(buffer);
      buffer.meet({ hash: content.hash, text });
      this.settled(buffer);
    } catch (error) {
      if (!this.shelf.holds(buffer) || buffer.epoch !== epoch) return;
      const failure = failureOf(error);
      if (failure.code === "not_found") buffer.vanish();
      else if (isOffline(failure)) return this.wait(buffer);
      else {
        buffer.last = "failed";
        buffer.problem = failure.detail;
      }
      this.settled(buffer);
    }
  }

  /** After every meeting with the server: what is unsaved is scheduled and kept, what is safe is let go. */
  settled(buffer: Buffer<M>): void {
    this.schedule(buffer);
    if (buffer.theirs) void this.keeper.keep(buffer);
    else if (!buffer.dirty) void this.keeper.forget(buffer.path);
    this.shelf.publish(buffer);
    if (buffer.quiet && !buffer.gone) this.on.quiet(buffer);
  }
}

export function isText(shape: BufferInfo["shape"]): boolean {
  return shape === "text" || shape === "large";
}

/** A byte order mark is part of the text, so that it is written back. */
export function decode(content: Content): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(content.bytes);
}
