/** What may be said of a file, in the tree, on its tab and in the status bar: one icon, one tone, one word each. */
import type { Badge } from "./bench";

export const BADGES: Record<Badge, { icon: string; tone: string; word: string }> = {
  unsaved: { icon: "dot", tone: "warn", word: "Unsaved" },
  saving: { icon: "refresh", tone: "accent", word: "Saving" },
  waiting: { icon: "arrow-up", tone: "warn", word: "Waits for the server" },
  failed: { icon: "error", tone: "danger", word: "Not saved" },
  conflict: { icon: "alert", tone: "warn", word: "Conflict" },
  deleted: { icon: "trash", tone: "warn", word: "Deleted" },
  sending: { icon: "refresh", tone: "accent", word: "On its way to the server" },
  missing: { icon: "arrow-down", tone: "info", word: "Newer on the server" },
  receiving: { icon: "refresh", tone: "accent", word: "Coming from the server" },
  blocked: { icon: "ban", tone: "warn", word: "Cannot sync" },
  uploading: { icon: "refresh", tone: "accent", word: "Uploading" },
};
