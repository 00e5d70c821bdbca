/** How hard a password is to guess, as far as its letters alone can tell. */
import { PASSWORD_CHARS_MIN } from "../../host/generated/limits";

export interface Strength {
  /** Bars of four. */
  bars: 0 | 1 | 2 | 3 | 4;
  word: string;
  /** What would help, or what it rests on. */
  why: string;
}

/**
 * Counts letters that surprise: repeats and steps of a row (`aaaa`, `1234`, `qwer`) add next to nothing, and words
 * are worth less than chance. It knows no list of leaked passwords; the server refuses the commonest.
 */
export function strengthOf(password: string, own: readonly string[] = []): Strength {
  const length = [...password].length;
  if (length === 0) return { bars: 0, word: "", why: "" };
  if (length < PASSWORD_CHARS_MIN)
    return { bars: 1, word: "Too short.", why: `${PASSWORD_CHARS_MIN - length} more needed` };
  const lower = password.toLowerCase();
  const familiar = own
    .flatMap((one) => one.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .some((part) => part.length > 2 && lower.includes(part) && length < part.length + 8);
  if (familiar) return { bars: 1, word: "Weak.", why: "It is made of your name or address" };
  const bits = surprises(lower) * 1.5 + classes(password) * 2;
  const letters = `${length} characters`;
  if (bits < 16) return { bars: 1, word: "Weak.", why: "Add a few unrelated words" };
  if (bits < 24) return { bars: 2, word: "Fair.", why: `${letters}; a longer one is better` };
  if (bits < 28) return { bars: 3, word: "Good.", why: letters };
  return { bars: 4, word: "Strong.", why: letters };
}

const ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qwertzuiop"];

/** Letters that the one before does not give away. */
function surprises(text: string): number {
  const letters = [...text];
  const seen = new Map<string, number>();
  let count = 0;
  for (const [at, letter] of letters.entries()) {
    const before = letters[at - 1] ?? "";
    const step = (letter.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0);
    const inRow = before !== "" && ROWS.some((row) => row.includes(before + letter));
    const times = seen.get(letter) ?? 0;
    seen.set(letter, times + 1);
    if (before !== "" && (Math.abs(step) <= 1 || inRow)) count += 0.2;
    else count += 1 / (1 + times / 3);
  }
  return count;
}

function classes(text: string): number {
  return [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((one) => one.test(text)).length;
}
