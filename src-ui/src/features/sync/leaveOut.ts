/** A file that cannot sync is named among those that shall not. */
import type { Bench } from "../../bench/bench";
import { RULES_FILE } from "../../host/generated/ignored";
import { failureOf } from "../../host/ide";

const encoder = new TextEncoder();

/** Writes the line that leaves a path out, over exactly the rules that are there. */
export async function leaveOut(bench: Bench, path: string): Promise<void> {
  const { live } = bench;
  const name = path.slice(path.lastIndexOf("/") + 1);
  try {
    // An open text of the rules may have lines of its own.
    await bench.saveAll();
    const rules = await live.calls.read(RULES_FILE).catch((error: unknown) => {
      if (failureOf(error).code === "not_found") return null;
      throw error;
    });
    const text = rules ? new TextDecoder().decode(rules.bytes) : "";
    const end = text === "" || text.endsWith("\n") ? "" : "\n";
    const bytes = encoder.encode(`${text}${end}${ruleOf(path)}\n`);
    await live.calls.write(RULES_FILE, bytes, rules?.hash ?? "");
    await live.pullFiles();
    bench.toast({
      text: `${name} stays on this computer alone.`,
      action: { label: `Open ${RULES_FILE}`, run: () => bench.open(RULES_FILE) },
    });
  } catch (error) {
    bench.failed(error, `${name} was not left out.`);
  }
}

/** One path and nothing else, as gitignore writes it: from the top, with no sign that means more than itself. */
export function ruleOf(path: string): string {
  return `/${path.replace(/[\\*?[]/g, "\\$&")}`;
}
