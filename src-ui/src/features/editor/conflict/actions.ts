/** What can be done about the conflict that is shown: all of it by key. */
import { type Action, action } from "../../../bench/actions";
import type { Conflict } from "../../../host/generated/api/Conflict";
import type { Choice } from "../../../host/merge";
import { conflictsOf, isOpen } from "./plan";
import type { Resolver } from "./resolver";

export const CHOICES: readonly (readonly [Choice, string, string])[] = [
  ["mine", "Yours", "Alt+1"],
  ["theirs", "Theirs", "Alt+2"],
  ["both", "Both", "Alt+3"],
  ["base", "Base", "Alt+4"],
];

export function conflictActions(resolver: Resolver): Action[] {
  const { state, parts, busy, unsaved } = resolver.state;
  const many = conflictsOf(parts).length;
  const merges = state === "merge" ? null : "These two cannot be merged";
  const waits = busy ? "It is being stored" : null;
  const left = resolver.left;
  const keepBoth = action(
    "conflict.keepBoth",
    "Keep both files",
    "copy",
    () => void resolver.keepBoth(),
    { unavailable: waits },
  );
  if (merges)
    return [
      ...(canTakeMine(resolver.conflict) ? [take(resolver, "mine", "Keep yours", waits)] : []),
      take(resolver, "theirs", takeTheirs(resolver.conflict), waits),
      keepBoth,
    ];
  const open = left === 1 ? "1 change is open" : `${left} changes are open`;
  return [
    action("conflict.next", "Next change", "arrow-down", () => resolver.look(1), {
      keys: ["F7"],
      unavailable: many > 1 ? null : "There is no other change",
    }),
    action("conflict.previous", "Change before", "arrow-up", () => resolver.look(-1), {
      keys: ["Shift+F7"],
      unavailable: many > 1 ? null : "There is no other change",
    }),
    ...CHOICES.map(([choice, title, key]) =>
      action(
        `conflict.${choice}`,
        `Take ${title.toLowerCase()}`,
        "check",
        () => resolver.choose(choice),
        {
          keys: [key],
          unavailable: many > 0 ? null : "Nothing is to be decided",
        },
      ),
    ),
    action("conflict.again", "Decide this change again", "undo", () => resolver.choose(null), {
      keys: ["Alt+0"],
      unavailable: parts.some((part) => part.kind === "conflict" && !isOpen(part))
        ? null
        : "Nothing was decided yet",
    }),
    action("conflict.save", "Save the result", "check", () => void resolver.save(), {
      keys: ["Ctrl+S"],
      unavailable: waits ?? (unsaved ? null : "It is saved"),
    }),
    action("conflict.resolve", "Mark resolved", "check-circle", () => void resolver.resolve(), {
      keys: ["Ctrl+Enter"],
      unavailable: waits ?? (left > 0 ? open : null),
    }),
    keepBoth,
  ];
}

/** Where a folder or a link is in play, what is here is only put back in its place by hand. */
function canTakeMine({ mine, theirs }: Conflict): boolean {
  return mine === "file" && (theirs === undefined || theirs === "file");
}

/** Says so where more goes than a file. */
function takeTheirs({ mine, theirs }: Conflict): string {
  if (theirs === undefined) return "Let it stay deleted";
  if (mine === "file") return "Keep theirs";
  return `Keep theirs, delete the ${mine === "folder" ? "folder" : "link"} here`;
}

function take(
  resolver: Resolver,
  side: "mine" | "theirs",
  title: string,
  unavailable: string | null,
): Action {
  return action(
    `conflict.take.${side}`,
    title,
    side === "mine" ? "monitor" : "cloud",
    () => void resolver.take(side),
    { unavailable },
  );
}
