/** How far a bout of sync has come: from the moment that something was to be moved to the one that nothing is. */
import type { Sync } from "./generated/api/Sync";

export interface Work {
  /** All of the bout; what comes to it while it lasts is counted in. */
  files: number;
  filesDone: number;
  bytes: number;
  bytesDone: number;
}

/** The bout after a look at what is left; null while nothing is. */
export function workAfter(before: Work | null, sync: Sync): Work | null {
  const [files, bytes] = [sync.up + sync.down, sync.up_bytes + sync.down_bytes];
  if (sync.state === "local" || files === 0) return null;
  if (!before) return { files, filesDone: 0, bytes, bytesDone: 0 };
  const [all, done] = counted(before.files, before.filesDone, files);
  const [allBytes, bytesDone] = counted(before.bytes, before.bytesDone, bytes);
  return { files: all, filesDone: done, bytes: allBytes, bytesDone };
}

/** What is less than before is done, what is more has come to it. */
function counted(all: number, done: number, left: number): [all: number, done: number] {
  const come = left - (all - done);
  return come > 0 ? [all + come, done] : [all, done - come];
}
