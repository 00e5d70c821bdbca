/** The memory of a program that is many processes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Proportional memory of everything that was started with a home, apart from one process; in bytes. */
export function memoryOf(home, apart) {
  const mark = `XDG_STATE_HOME=${join(home, "state")}\0`;
  let bytes = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(pid) === apart || !readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark)) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      bytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
    } catch {
      // It has ended meanwhile.
    }
  }
  if (bytes === 0) throw new Error(`nobody's memory can be read of ${home}`);
  return bytes;
}
