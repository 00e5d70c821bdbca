/** What terminals are called: by the person, else by their program. */
import type { TerminalTab } from "./terminals";

type Named = Pick<TerminalTab, "name" | "title">;

/** One name for each; of those that would be alike, all but the first are numbered. */
export function namesOf(tabs: readonly Named[]): string[] {
  const seen = new Map<string, number>();
  return tabs.map((tab) => {
    const name = nameOf(tab);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} ${times}`;
  });
}

/** The person's name, else the program's without its noise. */
function nameOf({ name, title }: Named): string {
  if (name !== "") return name;
  const said = title.replace(/^[\w.-]+@[\w.-]+:\s*/, "").trim();
  return said === "" ? "bash" : said;
}
