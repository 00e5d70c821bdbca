/** The open buffers by path, and what the screen is told of them. */
import { createStore } from "zustand/vanilla";
import type { Buffer, BufferInfo, TextModel } from "./buffer";

export interface ShelfState {
  byPath: ReadonlyMap<string, BufferInfo>;
}

export class Shelf<M extends TextModel> {
  readonly store = createStore<ShelfState>(() => ({ byPath: new Map() }));
  private readonly open = new Map<string, Buffer<M>>();

  get(path: string): Buffer<M> | undefined {
    return this.open.get(path);
  }

  all(): Buffer<M>[] {
    return [...this.open.values()];
  }

  infos(): BufferInfo[] {
    return [...this.store.getState().byPath.values()];
  }

  put(buffer: Buffer<M>): void {
    this.open.set(buffer.path, buffer);
    this.publish(buffer);
  }

  /** False for a buffer that was closed, moved or replaced meanwhile. */
  holds(buffer: Buffer<M>): boolean {
    return this.open.get(buffer.path) === buffer;
  }

  drop(buffer: Buffer<M>): void {
    buffer.cancelSave?.();
    buffer.cancelDraft?.();
    this.open.delete(buffer.path);
    buffer.model?.dispose();
    const byPath = new Map(this.store.getState().byPath);
    byPath.delete(buffer.path);
    this.store.setState({ byPath });
  }

  /** Tells the screen, when there is something new to show. */
  publish(buffer: Buffer<M>): void {
    if (!this.holds(buffer)) return;
    const before = this.store.getState().byPath.get(buffer.path);
    const next = buffer.info();
    const keys = Object.keys(next) as (keyof BufferInfo)[];
    if (before && keys.every((key) => before[key] === next[key])) return;
    this.store.setState((state) => ({ byPath: new Map(state.byPath).set(buffer.path, next) }));
  }
}
