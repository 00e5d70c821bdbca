/** Which keys a program in a terminal does not get: everything else is its own, as nano and readline expect. */

/** Those of the frame, beside everything with Ctrl+Shift. */
export const OURS: readonly string[] = [
  "F1",
  "F6",
  "Shift+F6",
  "Alt+F1",
  "Alt+F2",
  "Ctrl+P",
  "Ctrl+J",
  "Ctrl+B",
  "Ctrl+`",
  "Ctrl+Alt+V",
];

/** Those that the browser turns into a paste, as soon as nobody else takes them. */
export const PASTES: readonly string[] = ["Ctrl+V", "Ctrl+Shift+V", "Shift+Insert"];

/** Whether a chord skips the shell. */
export function skipsShell(chord: string): boolean {
  return chord.startsWith("Ctrl+Shift+") || OURS.includes(chord);
}
