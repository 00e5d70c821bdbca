/** One way to say what can be done: keys, menus, tooltips, palette and the list of shortcuts are all made from it. */
import type { MenuEntry } from "./bench";

export interface Action {
  /** For programs; stable. What stands before the dot is its group. */
  id: string;
  /** For people, beginning with a verb. */
  title: string;
  icon: string;
  /** Key chords as people read them, the shown one first: `Ctrl+Shift+P`. Ctrl is also Command. */
  keys: readonly string[];
  /** Why it cannot be done now; null when it can. */
  unavailable: string | null;
  /** Its keys belong to what has the focus, a tree or an editor; here they are only told. */
  told: boolean;
  danger: boolean;
  /** Of those of which one is in use: whether it is this one. */
  checked: boolean | null;
  run(): void;
}

/** What an action may leave out. */
interface Rest {
  keys?: readonly string[];
  unavailable?: string | null;
  told?: boolean;
  danger?: boolean;
  checked?: boolean;
}

export function action(
  id: string,
  title: string,
  icon: string,
  run: () => void,
  { keys = [], unavailable = null, told = false, danger = false, checked }: Rest = {},
): Action {
  return { id, title, icon, keys, unavailable, told, danger, checked: checked ?? null, run };
}

/** The one with this id; a registry without it is a mistake of ours. */
export function find(actions: readonly Action[], id: string): Action {
  const found = actions.find((one) => one.id === id);
  if (!found) throw new Error(`There is no action ${id}.`);
  return found;
}

/** An action in a menu. */
export function entryOf(of: Action): MenuEntry {
  return {
    label: of.title,
    icon: of.icon,
    danger: of.danger,
    run: of.run,
    ...(of.checked === null ? {} : { checked: of.checked }),
    ...(of.keys[0] ? { keys: of.keys[0] } : {}),
    ...(of.unavailable === null ? {} : { disabled: of.unavailable }),
  };
}

/** An action in a tooltip: `New terminal (Ctrl+Shift+`)`, and why not when it cannot be done. */
export function hintOf(of: Action): string {
  const name = of.keys[0] ? `${of.title} (${of.keys[0]})` : of.title;
  return of.unavailable === null ? name : `${name}: ${of.unavailable}`;
}

/** The chord of a key press, as actions write it. */
export function chordOf(event: {
  key: string;
  code?: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}): string {
  // The key below Escape gives a tilde with Shift, and nothing at all where it makes accents.
  const plain = event.code === "Backquote" ? "`" : event.key;
  const key = plain.length === 1 ? plain.toUpperCase() : plain;
  const parts = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.altKey ? "Alt" : "",
    event.shiftKey ? "Shift" : "",
    key,
  ];
  return parts.filter(Boolean).join("+");
}

/** The keys of a chord, each for a key cap of its own. `Ctrl++` ends with a plus. */
export function capsOf(chord: string): string[] {
  return chord.split(/\+(?!$)/);
}
