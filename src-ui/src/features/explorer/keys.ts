/** The keys of the tree (WAI-ARIA, and what file managers agree on): a key press in, what to do out. */
import type { Row } from "./tree";

export type Act =
  | { do: "go"; path: string; extend: boolean }
  | { do: "toggle"; path: string; open: boolean }
  | { do: "openAll"; paths: readonly string[] }
  | { do: "parent" }
  | { do: "show"; row: Row; pin: boolean }
  | { do: "rename" | "delete" | "cut" | "copy" | "paste" | "all" | "drop" | "menu" };

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const CHORDS: Record<string, Act> = {
  a: { do: "all" },
  c: { do: "copy" },
  v: { do: "paste" },
  x: { do: "cut" },
};

/** What a key means on the row at `index`; null when it means nothing here. `page` is how many rows are seen. */
export function keyOf(press: Press, rows: readonly Row[], index: number, page: number): Act | null {
  const row = rows[index];
  if (press.altKey) return null;
  if (press.ctrlKey || press.metaKey) return CHORDS[press.key.toLowerCase()] ?? null;
  if (press.key === "F10") return press.shiftKey ? { do: "menu" } : null;
  const go = (to: number): Act | null => {
    const there = rows[Math.max(0, Math.min(rows.length - 1, to))];
    return there ? { do: "go", path: there.path, extend: press.shiftKey } : null;
  };
  switch (press.key) {
    case "ArrowDown":
      return go(index + 1);
    case "ArrowUp":
      return go(index - 1);
    case "Home":
      return go(0);
    case "End":
      return go(rows.length - 1);
    case "PageDown":
      return go(index + page);
    case "PageUp":
      return go(index - page);
    case "Escape":
      return { do: "drop" };
    case "ContextMenu":
      return { do: "menu" };
    default:
      return row ? onRow(press.key, row, rows, index) : null;
  }
}

function onRow(key: string, row: Row, rows: readonly Row[], index: number): Act | null {
  const folder = row.kind === "folder";
  switch (key) {
    case "ArrowRight": {
      if (!folder) return null;
      if (!row.expanded) return { do: "toggle", path: row.path, open: true };
      const child = rows[index + 1];
      return child && child.level > row.level
        ? { do: "go", path: child.path, extend: false }
        : null;
    }
    case "ArrowLeft":
      if (folder && row.expanded) return { do: "toggle", path: row.path, open: false };
      return { do: "parent" };
    case "Enter":
      return { do: "show", row, pin: true };
    case " ":
      return { do: "show", row, pin: false };
    case "*":
      return { do: "openAll", paths: brothers(rows, index) };
    case "F2":
      return { do: "rename" };
    case "Delete":
      return { do: "delete" };
    default:
      return null;
  }
}

/** The folders beside a row, itself included. */
function brothers(rows: readonly Row[], index: number): string[] {
  const level = rows[index]?.level ?? 0;
  const before = rows.slice(0, index).findLastIndex((row) => row.level < level);
  const after = rows.slice(index).findIndex((row) => row.level < level);
  const family = rows.slice(before + 1, after < 0 ? undefined : index + after);
  return family
    .filter((row) => row.level === level && row.kind === "folder")
    .map(({ path }) => path);
}

/** Letters typed one after the other find the next row that begins with them. */
export class TypeAhead {
  private text = "";
  private at = 0;

  /** Another key came in between: what is typed next is a word of its own. */
  end(): void {
    this.text = "";
  }

  find(letter: string, now: number, rows: readonly Row[], index: number): string | null {
    this.text = (now - this.at > 700 ? "" : this.text) + letter.toLowerCase();
    this.at = now;
    const from = Math.max(0, index + (this.text.length === 1 ? 1 : 0));
    const begins = (row: Row) => row.label.toLowerCase().startsWith(this.text);
    return [...rows.slice(from), ...rows].find(begins)?.path ?? null;
  }
}
