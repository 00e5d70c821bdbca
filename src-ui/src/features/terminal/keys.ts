/** Which keys a program in a terminal does not get: everything else is its own, as nano and readline expect. */
const OURS = new Set([
  "F1",
  "F6",
  "Shift+F6",
  "Alt+F1",
  "Alt+F2",
  "Ctrl+P",
  "Ctrl+J",
  "Ctrl+B",
  "Ctrl+`",
]);

/** Whether a chord skips the shell. */
export function skipsShell(chord: string): boolean {
  return chord.startsWith("Ctrl+Shift+") || OURS.has(chord);
}
